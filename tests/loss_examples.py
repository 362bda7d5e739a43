"""Random logits and masks with ignored pixels, and the same in float64 NumPy for reference formulas."""

import numpy as np
import torch
from torch import Tensor

from seglib.head import Head
from seglib.io.sample import IGNORE

SOFTMAX = Head(3, sigmoid=False, overlapping=False)
SIGMOID = Head(3, sigmoid=True, overlapping=False)
OVERLAPPING = Head(3, sigmoid=True, overlapping=True)
ONE_CLASS = Head(2, sigmoid=True, overlapping=False)
HEADS = [SOFTMAX, SIGMOID, OVERLAPPING, ONE_CLASS]


def example(head: Head, seed: int = 0, space: tuple[int, ...] = (6, 7)) -> tuple[Tensor, Tensor]:
    """Logits float32 [2, planes, *space] and mask values uint8 [2, *space], about a fifth of them ignored."""
    random = np.random.default_rng(seed)
    values = 2 ** (head.classes - 1) if head.overlapping else head.classes
    mask = random.integers(0, values, (2, *space)).astype(np.uint8)
    mask[random.random(mask.shape) < 0.2] = IGNORE
    logits = random.normal(size=(2, head.planes, *space)).astype(np.float32)
    return torch.from_numpy(logits), torch.from_numpy(mask)


def truth_of(mask: Tensor, head: Head) -> np.ndarray:
    """Which pixels each plane stands for, bool [batch, planes, *space]."""
    values = mask.numpy()
    shown = [values & (1 << c) > 0 if head.overlapping else values == c + head.sigmoid for c in range(head.planes)]
    return np.stack(shown, 1) & (values != IGNORE)[:, None]


def probabilities(logits: Tensor, head: Head) -> np.ndarray:
    """Float64 probabilities of the logits' shape."""
    values = logits.double().numpy()
    if head.sigmoid:
        return 1 / (1 + np.exp(-values))
    odds = np.exp(values - values.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def known(planes: np.ndarray, mask: Tensor) -> np.ndarray:
    """The pixels that count of [batch, planes, *space], as [planes, pixels]."""
    return np.moveaxis(planes, 1, 0)[:, mask.numpy() != IGNORE]


def reference(head: Head, seed: int = 0) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray]:
    """An example's logits and mask, and the probabilities and truth [planes, pixels] of its known pixels."""
    logits, mask = example(head, seed)
    return logits, mask, known(probabilities(logits, head), mask), known(truth_of(mask, head), mask)
