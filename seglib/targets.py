"""Masks as one plane a class, for losses and the validation Dice."""

import torch
import torch.nn.functional as F
from torch import Tensor

from seglib.io.sample import IGNORE


def outputs(classes: int, *, overlapping: bool) -> int:
    """Logits a pixel: one a class, or one a foreground class where classes overlap."""
    return classes - 1 if overlapping else classes


def target_planes(mask: Tensor, planes: int, *, overlapping: bool) -> tuple[Tensor, Tensor]:
    """Turn mask values [batch, *space] into {0, 1} int64 [batch, planes, *space], and which pixels count.

    The second is bool [batch, 1, *space]; planes are 0 where a pixel does not count.
    """
    counts = (mask != IGNORE)[:, None]
    known = torch.where(counts[:, 0], mask, 0).long()
    if not overlapping:
        return F.one_hot(known, planes).movedim(-1, 1) * counts, counts
    bits = torch.arange(planes, device=mask.device).view(1, -1, *[1] * (mask.ndim - 1))
    return (known[:, None] >> bits) & 1, counts


def guessed_planes(logits: Tensor, *, overlapping: bool) -> Tensor:
    """The classes that logits [batch, planes, *space] choose, {0, 1} int64 of the same shape."""
    if overlapping:
        return (logits > 0).long()
    return F.one_hot(logits.argmax(1), logits.shape[1]).movedim(-1, 1)
