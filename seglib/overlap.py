"""Validation Dice on the training device, the figure that picks the best epoch."""

import torch
from torch import Tensor

from seglib.targets import guessed_planes, target_planes


def case_dice(logits: Tensor, mask: Tensor, *, overlapping: bool = False) -> Tensor:
    """Dice of each case and foreground class, float32 [batch, classes - 1]; nan where both are empty.

    Dice = 2 |P ∩ T| / (|P| + |T|) (Dice, Ecology 26, 1945) over the pixels that count.
    """
    truth, counts = target_planes(mask, logits.shape[1], overlapping=overlapping)
    guess = guessed_planes(logits, overlapping=overlapping) * counts
    space = tuple(range(2, logits.ndim))
    both, total = (truth * guess).sum(space), (truth + guess).sum(space)
    dice = torch.where(total > 0, 2 * both / total.clamp(min=1), torch.nan)
    return dice if overlapping else dice[:, 1:]
