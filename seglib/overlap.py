"""Validation Dice on the training device, the figure that picks the best epoch."""

import torch
from torch import Tensor

from seglib.head import Head


def case_dice(logits: Tensor, mask: Tensor, head: Head) -> Tensor:
    """Dice of each case and foreground class, float32 [batch, classes - 1]; nan where both are empty.

    Dice = 2 |P ∩ T| / (|P| + |T|) (Dice, Ecology 26, 1945) over the pixels that count.
    """
    truth, counts = head.truth(mask)
    guess = head.guess(logits) * counts
    space = tuple(range(2, logits.ndim))
    both, total = (truth * guess).sum(space), (truth + guess).sum(space)
    dice = torch.where(total > 0, 2 * both / total.clamp(min=1), torch.nan)
    return dice[:, head.foreground]
