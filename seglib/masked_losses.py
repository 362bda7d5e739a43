"""Losses that leave ignored pixels out."""

import torch.nn.functional as F
from monai.losses.dice import DiceLoss
from torch import Tensor, nn

from seglib.targets import target_planes


class DiceCELoss(nn.Module):
    """`dice_weight` × soft Dice + `ce_weight` × cross-entropy over the pixels that count.

    Takes logits [batch, planes, *space] and mask values [batch, *space]; computes in float32. Where classes
    overlap, each plane is a sigmoid of its own, with binary cross-entropy. An ignored pixel has probability
    and target 0 in the Dice sums (Milletari et al., V-Net, 2016).
    """

    def __init__(self, dice_weight: float, ce_weight: float, *, include_background: bool, overlapping: bool) -> None:
        """Set the weights; Dice sums run over the whole batch, which steadies small objects."""
        super().__init__()
        self.dice_weight, self.ce_weight, self.overlapping = dice_weight, ce_weight, overlapping
        self.dice = DiceLoss(include_background=include_background or overlapping, batch=True)

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Compute the loss as a float32 scalar."""
        logits = logits.float()
        planes, counts = target_planes(mask, logits.shape[1], overlapping=self.overlapping)
        if self.overlapping:
            probabilities = logits.sigmoid()
            each = F.binary_cross_entropy_with_logits(logits, planes.float(), reduction="none")
            ce = (each * counts).sum() / (counts.sum() * logits.shape[1]).clamp(min=1)
        else:
            # The cross-entropy is written out because torch's own is not deterministic on CUDA.
            probabilities = logits.softmax(1)
            ce = -(planes * F.log_softmax(logits, 1)).sum() / counts.sum().clamp(min=1)
        return self.dice_weight * self.dice(probabilities * counts, planes) + self.ce_weight * ce
