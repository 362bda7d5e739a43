"""Losses that leave ignored pixels out."""

import torch
import torch.nn.functional as F
from monai.losses.dice import DiceLoss
from torch import Tensor, nn

from seglib.io.sample import IGNORE


class DiceCELoss(nn.Module):
    """`dice_weight` × soft Dice + `ce_weight` × cross-entropy over the pixels that count.

    Takes logits [batch, classes, height, width] and indices [batch, height, width]; computes in float32.
    An ignored pixel has probability and target 0 in the Dice sums (Milletari et al., V-Net, 2016).
    """

    def __init__(self, classes: int, dice_weight: float, ce_weight: float, *, include_background: bool) -> None:
        """Set the weights; Dice sums run over the whole batch, which steadies small objects."""
        super().__init__()
        self.classes, self.dice_weight, self.ce_weight = classes, dice_weight, ce_weight
        self.dice = DiceLoss(include_background=include_background, batch=True)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss as a float32 scalar."""
        logits, target = logits.float(), target.long()
        counts = target != IGNORE
        indices = torch.where(counts, target, 0)
        # The cross-entropy is written out because torch's own is not deterministic on CUDA.
        one_hot = F.one_hot(indices, self.classes).movedim(-1, 1) * counts[:, None]
        dice = self.dice(logits.softmax(1) * counts[:, None], one_hot)
        ce = -(one_hot * F.log_softmax(logits, 1)).sum() / counts.sum().clamp(min=1)
        return self.dice_weight * dice + self.ce_weight * ce
