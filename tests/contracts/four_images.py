"""Four seeded images with ellipses, which any network and any loss must be able to learn by heart."""

import torch
from torch import Tensor

SIDE = {2: 64, 3: 32}
"""Pixels a side, by the number of dimensions."""
BRIGHTNESS = 60
"""Grey values between one class and the next."""


def four_images(classes: int = 3, dims: int = 2, *, overlapping: bool = False) -> tuple[Tensor, Tensor]:
    """Noise with one ellipse for each foreground class, brighter by its class, on black.

    Images uint8 [4, 1, *space], masks uint8 [4, *space]: values below `classes`, or with `overlapping`
    sums of bits, one a foreground class.
    """
    random = torch.Generator().manual_seed(0)
    space = [SIDE[dims]] * dims
    masks = torch.zeros(4, *space, dtype=torch.uint8)
    images = torch.randint(0, BRIGHTNESS // 2, (4, *space), generator=random, dtype=torch.uint8)
    for mask in masks:
        for c in range(1, classes):
            inside = _ellipse(space, random)
            mask[inside] = mask[inside] | 1 << (c - 1) if overlapping else c
    return (images + BRIGHTNESS * masks)[:, None], masks


def _ellipse(space: list[int], random: torch.Generator) -> Tensor:
    axes = torch.meshgrid(*[torch.linspace(0, 1, side) for side in space], indexing="ij")
    centre = torch.rand(len(space), generator=random) * 0.5 + 0.25
    radius = torch.rand(len(space), generator=random) * 0.15 + 0.12
    distances = [((axis - c) / r).square() for axis, c, r in zip(axes, centre, radius, strict=True)]
    return torch.stack(distances).sum(0) <= 1
