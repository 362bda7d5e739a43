"""Losses of the overlap between whole regions that leave ignored pixels out.

Sums run over the whole batch, which steadies small objects. An ignored pixel has probability and truth 0.
"""

from abc import abstractmethod

import torch
from monai.losses.dice import DiceLoss
from monai.losses.tversky import TverskyLoss
from torch import Tensor, nn

from seglib.errors import SegError
from seglib.head import Head

SMOOTH = 1e-5
"""Pixels added above and below the fraction bar, as MONAI does; two empty regions then overlap perfectly."""
LEAST = 1e-6
"""Loss of a class below which the focal power no longer falls, so that its gradient is finite."""


class RegionLoss(nn.Module):
    """Base: a cost of the probabilities of some planes, given their truth."""

    weights: Tensor

    def __init__(self, head: Head, weights: Tensor, *, include_background: bool) -> None:
        """`weights`: one float32 a plane; without the background those of the others are brought to mean 1.

        Raises SegError where no weight is left.
        """
        super().__init__()
        self.head = head
        self.planes = slice(None) if include_background else head.foreground
        kept = weights[self.planes]
        if not kept.any():
            raise SegError("loss.class_weights: the loss leaves the background out, and every other class weighs 0")
        self.register_buffer("weights", kept / kept.mean())

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Compute the loss as a float32 scalar."""
        truth, counts = self.head.truth(mask)
        guess = self.head.probabilities(logits) * counts
        return self.cost(guess[:, self.planes], truth[:, self.planes], counts)

    @abstractmethod
    def cost(self, guess: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
        """Compare probabilities and {0, 1} [batch, planes, *space]; `counts`: bool [batch, 1, *space]."""


class SoftDice(RegionLoss):
    """Soft Dice loss (Milletari et al., V-Net, 2016), MONAI's `DiceLoss`, averaged over the classes."""

    def __init__(self, head: Head, weights: Tensor, *, include_background: bool) -> None:
        """`weights`: one float32 a plane."""
        super().__init__(head, weights, include_background=include_background)
        self.dice = DiceLoss(batch=True, reduction="none")

    def cost(self, guess: Tensor, truth: Tensor, counts: Tensor) -> Tensor:  # noqa: ARG002  (its base asks for it)
        """The weighted mean of the classes' Dice losses."""
        return (self.dice(guess, truth).flatten() * self.weights).mean()


class Tversky(RegionLoss):
    """Tversky loss (Salehi et al., MLMI 2017), MONAI's `TverskyLoss`, averaged over the classes.

    1 - TP / (TP + alpha FP + beta FN), each class's raised to `power` (Abraham & Khan, ISBI 2019).
    """

    def __init__(
        self, head: Head, weights: Tensor, *, alpha: float, beta: float, include_background: bool, power: float = 1.0
    ) -> None:
        """`weights`: one float32 a plane."""
        super().__init__(head, weights, include_background=include_background)
        self.power = power
        self.tversky = TverskyLoss(alpha=alpha, beta=beta, batch=True, reduction="none")

    def cost(self, guess: Tensor, truth: Tensor, counts: Tensor) -> Tensor:  # noqa: ARG002  (its base asks for it)
        """The weighted mean of the classes' losses."""
        each = self.tversky(guess, truth)
        if self.power != 1:
            each = each.clamp(min=LEAST) ** self.power
        return (each * self.weights).mean()


class GeneralizedDice(RegionLoss):
    """Generalised Dice loss: classes weigh inversely to their squared volume (Sudre et al., DLMIA 2017).

    1 - 2 Σ w |P ∩ T| / Σ w (|P| + |T|), w = class weight / |T|². A class that the batch does not show gets the
    factor of the rarest that it shows. MONAI's has no class weights and smooths fractions of tiny weights.
    """

    def cost(self, guess: Tensor, truth: Tensor, counts: Tensor) -> Tensor:  # noqa: ARG002  (its base asks for it)
        """One minus the Dice of all classes together."""
        over = (0, *range(2, guess.ndim))
        volume = truth.sum(over).float()
        rarest = torch.where(volume > 0, volume, torch.inf).amin()
        weights = self.weights * torch.where(volume > 0, rarest / volume, 1) ** 2
        both, total = (guess * truth).sum(over), guess.sum(over) + volume
        return 1 - (2 * (weights * both).sum() + SMOOTH) / ((weights * total).sum() + SMOOTH)
