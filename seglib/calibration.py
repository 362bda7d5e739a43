"""Whether a probability of 80 % is right four times out of five: reliability bins and their error.

The expected calibration error (Guo et al., On Calibration of Modern Neural Networks, ICML 2017) of each class for
itself, against all others (class-wise, as in Nixon et al., Measuring Calibration in Deep Learning, CVPR Workshops
2019): pixels are sorted by the class's probability into 15 bins ((b - 1) / 15, b / 15], the first with 0.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from seglib.errors import SegError

BINS = 15


class Reliability(NamedTuple):
    """Sums over the pixels of each bin, float64 [15], or [classes, 15]."""

    probability: np.ndarray
    truth: np.ndarray
    """Pixels that are of the class."""
    pixels: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """Mean of |mean probability - share of the class| over the bins, weighted by pixels; nan without pixels."""
        pixels = self.pixels.sum(-1)
        gap = np.abs(self.probability - self.truth).sum(-1)
        return np.where(pixels > 0, gap / np.maximum(pixels, 1), np.nan)


def class_reliability(probability: np.ndarray, truth: np.ndarray) -> Reliability:
    """Sort the pixels of one class into bins: its probabilities, float32 [pixels], and where it is, bool [pixels].

    Raises SegError where a probability is not finite.
    """
    if not np.isfinite(probability).all():
        raise SegError(
            "the model gives probabilities that are not finite; train it again, with a lower train.lr or with "
            "train.precision: fp32"
        )
    place = np.clip(np.ceil(probability * BINS) - 1, 0, BINS - 1).astype(np.uint8)
    return Reliability(
        np.bincount(place, probability, BINS),
        np.bincount(place[truth], minlength=BINS).astype(np.float64),
        np.bincount(place, minlength=BINS).astype(np.float64),
    )


def stacked(classes: Iterable[Reliability]) -> Reliability:
    """Put the bins of single classes together: [classes, 15]."""
    return Reliability(*map(np.stack, zip(*classes, strict=True)))


def pooled(cases: Iterable[Reliability]) -> Reliability:
    """Add up the bins of several cases."""
    return Reliability(*(np.sum(part, axis=0) for part in zip(*cases, strict=True)))
