"""From probabilities to the values of a mask."""

import numpy as np

from seglib.head import Head
from seglib.io.planes import merge_planes

HALF = 0.5
"""The threshold at which the most probable of two classes is chosen."""


def mask_of(probabilities: np.ndarray, head: Head, threshold: float = HALF) -> np.ndarray:
    """Mask values, uint8 [*shape], from probabilities [planes, *shape].

    A class needs a probability above the threshold: each for itself where classes overlap; the most probable
    one where a sigmoid's exclude each other; the foreground where softmax has two classes. At one half
    softmax takes the most probable class, whatever their number; it has no other threshold beyond two.
    """
    if head.overlapping:
        return merge_planes(probabilities > threshold)
    if head.sigmoid:
        best = probabilities.argmax(0).astype(np.uint8)
        return np.where(probabilities.max(0) > threshold, best + 1, 0).astype(np.uint8)
    if threshold == HALF:
        return probabilities.argmax(0).astype(np.uint8)
    assert has_threshold(head)
    return (probabilities[1] > threshold).astype(np.uint8)


def has_threshold(head: Head) -> bool:
    """Whether another threshold than one half means something: not where softmax chooses among several."""
    return head.sigmoid or head.classes == 2
