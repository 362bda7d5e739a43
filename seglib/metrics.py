"""Dice and IoU of class maps, by case and over the whole test side.

Conventions. Pixels of index 255 do not count. A case where a class is absent from truth and
prediction alike has no value for it (an empty cell, counted in `n_empty_<class>`), and stays out of
the class's mean; a class that is missed, or predicted where there is none, counts as 0. `dice` and
`iou` are means over the foreground classes of the means over cases; `*_pooled` divide the summed
pixels of all cases, then average over the classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE

PARTS = ("both", "truth", "guess")


@dataclass(frozen=True)
class CaseCounts:
    """Pixels a class of one case: in both maps, in the truth, in the prediction; int64 [classes]."""

    both: np.ndarray
    truth: np.ndarray
    guess: np.ndarray

    @property
    def dice(self) -> np.ndarray:
        """2 |P ∩ T| / (|P| + |T|) (Dice, Ecology 26, 1945); nan where both are empty."""
        return _ratio(2 * self.both, self.truth + self.guess)

    @property
    def iou(self) -> np.ndarray:
        """|P ∩ T| / |P ∪ T| (Jaccard, 1901); nan where both are empty."""
        return _ratio(self.both, self.truth + self.guess - self.both)


def count(truth: np.ndarray, guess: np.ndarray, classes: int, *, overlapping: bool = False) -> CaseCounts:
    """Compare two masks of the same shape."""
    counts = truth != IGNORE
    truth, guess = truth[counts], guess[counts]
    if overlapping:
        planes = [class_planes(mask, classes, overlapping=overlapping) for mask in (truth, guess)]
        sums = [(np.sum(t & g), np.sum(t), np.sum(g)) for t, g in zip(*planes, strict=True)]
        return CaseCounts(*np.array(sums, np.int64).T)
    return CaseCounts(
        np.bincount(truth[truth == guess], minlength=classes),
        np.bincount(truth, minlength=classes),
        np.bincount(guess, minlength=classes),
    )


def mean_over_classes(values: np.ndarray) -> float | None:
    """Mean over the foreground classes that have a value; None where none has."""
    present = values[1:][~np.isnan(values[1:])]
    return round(float(present.mean()), 6) if present.size else None


def summarise(cases: Sequence[CaseCounts], classes: Sequence[str]) -> dict[str, float | int]:
    """Flat, finite metrics of all cases; a figure that no case defines is left out."""
    pooled = CaseCounts(*(np.sum([getattr(case, part) for case in cases], axis=0) for part in PARTS))
    summary: dict[str, float | int | None] = {"n": len(cases)}
    for name in ("dice", "iou"):
        table = np.stack([getattr(case, name) for case in cases])
        means = np.array([_mean(column) for column in table.T])
        summary[name] = mean_over_classes(means)
        summary[f"{name}_pooled"] = mean_over_classes(getattr(pooled, name))
        summary |= {f"{name}_{classes[c]}": _rounded(means[c]) for c in range(1, len(classes))}
    for c in range(1, len(classes)):
        summary[f"n_empty_{classes[c]}"] = sum(int(case.truth[c] == 0 and case.guess[c] == 0) for case in cases)
        summary[f"n_missed_{classes[c]}"] = sum(int(case.truth[c] > 0 and case.both[c] == 0) for case in cases)
    return {key: value for key, value in summary.items() if value is not None}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _mean(values: np.ndarray) -> float:
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float("nan")


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
