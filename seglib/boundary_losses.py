"""Losses of the distance to a boundary that leave ignored pixels out.

Distances are Euclidean, in pixels, and run to known pixels only: an ignored pixel is neither inside nor outside.
Where an image's known pixels are all inside or all outside there is no boundary, and distances are 0. They are
computed on the CPU by SciPy, one plane after the other, which is deterministic. The background
has no boundary of its own.
"""

import torch
from monai.transforms.utils import distance_transform_edt
from torch import Tensor

from seglib.head import Head
from seglib.region_losses import RegionLoss


class BoundaryLoss(RegionLoss):
    """Base: the weighted mean over known pixels and foreground classes."""

    def __init__(self, head: Head, weights: Tensor) -> None:
        """`weights`: one float32 a plane."""
        super().__init__(head, weights, include_background=False)

    def mean(self, each: Tensor, counts: Tensor) -> Tensor:
        """Average values [batch, planes, *space] that are 0 where pixels do not count."""
        weights = self.weights.view(1, -1, *[1] * (each.ndim - 2))
        return (each * weights).sum() / (counts.sum() * each.shape[1]).clamp(min=1)


class SignedDistance(BoundaryLoss):
    """Probability times signed distance to the truth's boundary (Kervadec et al., MIDL 2019); may be negative.

    Outside the distance to the nearest pixel inside; inside 1 minus the distance to the nearest outside, so that
    it is 0 on the outermost pixels of the object, as in the authors' code.
    """

    def cost(self, guess: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
        """The mean of probability × signed distance."""
        inside = truth.bool()
        distances = boundary_distances(inside, counts)
        signed = torch.where(inside & (distances > 0), 1 - distances, distances)
        return self.mean(guess * signed, counts)


class Hausdorff(BoundaryLoss):
    """Squared error times distance to both boundaries (Karimi & Salcudean, IEEE TMI 2019, equation 8).

    (p - t)² (d_p^exponent + d_t^exponent), the guess being inside where p > 0.5.
    """

    def __init__(self, head: Head, weights: Tensor, *, exponent: float) -> None:
        """`weights`: one float32 a plane."""
        super().__init__(head, weights)
        self.exponent = exponent

    def cost(self, guess: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
        """The mean of squared error × distances."""
        distances = [boundary_distances(plane, counts) ** self.exponent for plane in (guess > 0.5, truth.bool())]
        return self.mean((guess - truth) ** 2 * sum(distances), counts)


@torch.no_grad()
def boundary_distances(inside: Tensor, counts: Tensor) -> Tensor:
    """The distance from each pixel to the nearest known one of the other side, float32 [batch, planes, *space].

    Takes bool [batch, planes, *space], False where pixels do not count, and bool [batch, 1, *space].
    """
    outside = counts & ~inside
    to_inside, to_outside = _distances_to(inside), _distances_to(outside)
    space = tuple(range(2, inside.ndim))
    bounded = inside.any(space, keepdim=True) & outside.any(space, keepdim=True)
    return torch.where(bounded & counts, torch.where(inside, to_outside, to_inside), 0)


def _distances_to(side: Tensor) -> Tensor:
    found = torch.as_tensor(distance_transform_edt(~side.cpu().flatten(0, 1)))
    return found.view(side.shape).to(side.device, torch.float32)
