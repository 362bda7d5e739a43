"""Validation Dice on the training device, the figure that picks the best epoch."""

import torch
import torch.nn.functional as F
from torch import Tensor

from seglib.io.sample import IGNORE


def case_dice(logits: Tensor, target: Tensor) -> Tensor:
    """Dice of each case and foreground class, float32 [batch, classes - 1]; nan where both are empty.

    Dice = 2 |P ∩ T| / (|P| + |T|) (Dice, Ecology 26, 1945) over the pixels that count.
    """
    classes = logits.shape[1]
    counts = (target != IGNORE)[:, None]
    truth = F.one_hot(torch.where(counts[:, 0], target, 0).long(), classes).movedim(-1, 1) * counts
    guess = F.one_hot(logits.argmax(1), classes).movedim(-1, 1) * counts
    both = (truth * guess).sum((2, 3))[:, 1:]
    total = (truth + guess).sum((2, 3))[:, 1:]
    return torch.where(total > 0, 2 * both / total.clamp(min=1), torch.nan)
