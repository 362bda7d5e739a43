"""Figures over a test set, and intervals over its groups: how far other cases like these would move a figure.

A group (a patient, a video) counts with all its cases, for the cases of a group resemble each other. The variance is
the delete-one jackknife's over groups (Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter
3; for clusters: MacKinnon, Nielsen and Webb, Journal of Applied Econometrics 38, 2023): the figure without a group is
that of all sums less the group's. The bounds are Student's.

Degrees of freedom: the fewest groups in which a class has a value, less one, for the mean over the classes is known no
better than its rarest class. Fewer where a few groups carry the variance, as rare failures do: twice the squared
variance by the variance of the variance (Satterthwaite, Biometrics Bulletin 2, 1946), estimated from fourth powers.

The bounds are taken on the scale on which a figure has no ends, and so stay between them: the logit for shares, as
surveys do for proportions (`svyciprop` of R's survey package, method xlogit), the logarithm for distances. That also
makes the side towards rare failures the longer one. No method makes up for failures that are too rare to be among the
cases: `benchmarks.verdict` shows how often the intervals hold the truth.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.special import expit, logit, stdtrit

WIDEST = 3.0
"""Half of the widest interval of a distance on its logarithm: from a twentieth of it to twenty times it."""


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval.

    Without bounds where a class has a value in fewer than two groups, where the figure lies at an end of its scale (a
    share of 0 or 1, a distance of 0), and where a distance's would span orders of size (WIDEST).
    """

    value: float
    """nan where no case has a value."""
    low: float | None
    high: float | None


class Scale(Enum):
    """Where a figure can lie."""

    SHARE = (0.0, 1.0)
    AMOUNT = (0.0, math.inf)
    ANY = (-math.inf, math.inf)


@dataclass(frozen=True)
class Ratio:
    """Mean over the classes of the sums of `part` by those of `whole`, over rows that are cases or groups.

    Both float64 [rows, classes], without nan. Classes whose `whole` is 0 in all rows do not count.
    """

    part: np.ndarray
    whole: np.ndarray
    scale: Scale = Scale.ANY

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """The figure under weights of the rows, [draws, rows] → float64 [draws]; nan where no weighted row has a value.

        A class of which no row is drawn keeps its ratio of all rows: without it the mean would be another figure.
        """
        part, whole = self._present
        sums = weights @ whole
        drawn = sums > 0
        ratios = np.where(drawn, weights @ part / np.where(drawn, sums, 1), part.sum(0) / whole.sum(0))
        return np.where(drawn.any(1), ratios.sum(1) / max(whole.shape[1], 1), np.nan)

    @property
    def value(self) -> float:
        """The figure of all rows; nan without any class."""
        return float(self(np.ones((1, len(self.part))))[0])

    @property
    def fewest(self) -> int:
        """Rows with a value of the class that has the fewest; 0 without any class."""
        return min(filter(None, self.shown.tolist()), default=0)

    @property
    def pulls(self) -> np.ndarray:
        """How far each row moves the figure, float64 [rows]; the sum of squares is its jackknife variance.

        A class that only one row has moves nothing: nobody knows how far it would.
        """
        part, whole = self._present
        known = whole > 0
        rest = whole.sum(0) - whole
        rows = known.sum(0)
        without = np.where(rest > 0, part.sum(0) - part, 0) / np.where(rest > 0, rest, 1)
        moved = np.where(known, (without * known).sum(0) / rows - without, 0) * np.sqrt((rows - 1) / rows)
        return moved.sum(1) / max(whole.shape[1], 1)

    @property
    def shown(self) -> np.ndarray:
        """Rows with a value of each class, int64 [classes]."""
        return (self.whole > 0).sum(0)

    def of_classes(self, chosen: np.ndarray) -> "Ratio":
        """The same over some of the classes, bool [classes]."""
        return Ratio(self.part[:, chosen], self.whole[:, chosen], self.scale)

    def of_cases(self) -> np.ndarray:
        """The figure of each row for itself, over the classes that it has a value of, float64 [rows]; else nan."""
        known = self.whole > 0
        ratios = np.where(known, self.part / np.where(known, self.whole, 1), 0)
        return np.where(known.any(1), ratios.sum(1) / np.maximum(known.sum(1), 1), np.nan)

    def by_group(self, groups: Sequence[str]) -> "Ratio":
        """The same with one row a group, in the order of their names; `groups` names that of each case."""
        names, group_of_case = np.unique(np.asarray(groups), return_inverse=True)
        part, whole = np.zeros((2, len(names), self.part.shape[1]))
        np.add.at(part, group_of_case, self.part)
        np.add.at(whole, group_of_case, self.whole)
        return Ratio(part, whole, self.scale)

    @property
    def _present(self) -> tuple[np.ndarray, np.ndarray]:
        """Part and whole of the classes that count."""
        present = self.whole.sum(0) > 0
        return self.part[:, present], self.whole[:, present]


def mean_of_classes(values: np.ndarray, scale: Scale = Scale.ANY) -> Ratio:
    """Mean over the classes of the means over the cases that have a value; nan where none has.

    `values`: float64 [cases, classes], nan where there is no value.
    """
    known = ~np.isnan(values)
    return Ratio(np.where(known, values, 0.0), known.astype(np.float64), scale)


def ratio_of_sums(part: np.ndarray, whole: np.ndarray) -> Ratio:
    """Mean over the classes of the sum of `part` by the sum of `whole` over the cases; nan where all wholes are 0.

    Both [cases, classes], of any number type, the part at most the whole; nan counts as 0.
    """
    return Ratio(np.nan_to_num(part.astype(np.float64)), np.nan_to_num(whole.astype(np.float64)), Scale.SHARE)


def interval(figure: Ratio, groups: Sequence[str], confidence: float) -> Interval:
    """The figure of all cases with its interval; `groups` names the group of each case."""
    grouped = figure.by_group(groups)
    value, fewest = grouped.value, grouped.fewest
    if fewest < 2:
        return Interval(value, None, None)
    pulls = grouped.pulls
    return student(value, float((pulls**2).sum()), freedom(pulls, fewest), confidence, figure.scale)


def freedom(pulls: np.ndarray, fewest: int) -> float:
    """Degrees of freedom of the sum of squares of the pulls, at most `fewest` (2 or more) less one."""
    squares = pulls**2
    shares = squares / (squares.sum() or 1.0)
    return 2 / max(float((shares**2).sum()) - 1 / len(pulls), 2 / (fewest - 1))


def student(value: float, variance: float, freedom: float, confidence: float, scale: Scale = Scale.ANY) -> Interval:
    """Student's interval on the scale; without bounds as `Interval` says."""
    low, high = scale.value
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(variance)
    if not low < value < high or (scale is Scale.AMOUNT and half > WIDEST * value):
        return Interval(value, None, None)
    if scale is Scale.ANY:
        return Interval(value, value - half, value + half)
    if scale is Scale.SHARE:
        half /= value * (1 - value)
        return Interval(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)))
    factor = math.exp(half / value)
    return Interval(value, value / factor, value * factor)
