"""Intervals of figures over a test set: the bootstrap over groups.

A group (a patient, a video) is drawn with all its cases, for the cases of a group resemble each other
(cluster bootstrap; Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).

The bounds are quantiles of the resampled figure, at levels that are corrected twice. For bias and skewness, since Dice
near 1 and distances have a long tail: BCa (Efron, Journal of the American Statistical Association 82, 1987). For few
groups, whose spread the bootstrap takes for too small: the normal quantile is √(n / (n - 1)) times the quantile of
Student's t with n - 1 degrees of freedom (the expanded interval of Hesterberg, The American Statistician 69, 2015,
section 4.3), n being the number of groups that have a value. No method makes up for failures that are too rare to be
among the cases: `benchmarks.verdict` shows how often the intervals hold the truth.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

Statistic = Callable[[np.ndarray], np.ndarray]
"""Maps weights of the cases, float64 [resamples, cases], to the figure of each resample, float64 [resamples]."""
WEIGHTS = 2**16
"""Weights held at a time: 512 KiB, which a processor keeps at hand."""
BLOCKS = 400
"""Groups beyond which Student's quantile hardly differs from the normal one."""
LEAST_DIVISOR = 0.1
"""Of the correction for skewness, which a confidence very near to 1 would turn round."""


@dataclass(frozen=True)
class Interval:
    """A figure with its confidence interval; without bounds where fewer than two groups have a value."""

    value: float
    """nan where no case has a value."""
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Ratio:
    """A `Statistic`: mean over the classes of the weighted sums of `part` by those of `whole`.

    Both float64 [cases, classes], without nan. Classes whose `whole` is 0 in all cases do not count. One whose cases
    are merely not drawn keeps the ratio of all cases: without it the mean would be another figure, and leaving the
    resample out would lose most of them where several classes are rare. nan where no weighted case has a value.
    """

    part: np.ndarray
    whole: np.ndarray

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """As of `Statistic`."""
        present = self.whole.sum(0) > 0
        part, whole = self.part[:, present], self.whole[:, present]
        sums = weights @ whole
        drawn = sums > 0
        ratios = np.where(drawn, weights @ part / np.where(drawn, sums, 1), part.sum(0) / whole.sum(0))
        return np.where(drawn.any(1), ratios.sum(1) / max(present.sum(), 1), np.nan)

    def of_cases(self) -> np.ndarray:
        """The figure of each case for itself, over the classes that it has a value of, float64 [cases]; else nan."""
        known = self.whole > 0
        ratios = np.where(known, self.part / np.where(known, self.whole, 1), 0)
        return np.where(known.any(1), ratios.sum(1) / np.maximum(known.sum(1), 1), np.nan)

    def by_group(self, groups: Sequence[str]) -> "Ratio":
        """The same with one row a group, in the order of their names; `groups` names that of each case."""
        names, group_of_case = np.unique(np.asarray(groups), return_inverse=True)
        part, whole = np.zeros((2, len(names), self.part.shape[1]))
        np.add.at(part, group_of_case, self.part)
        np.add.at(whole, group_of_case, self.whole)
        return Ratio(part, whole)


def mean_of_classes(values: np.ndarray) -> Ratio:
    """Mean over the classes of the means over the cases that have a value; nan where none has.

    `values`: float64 [cases, classes], nan where there is no value.
    """
    known = ~np.isnan(values)
    return Ratio(np.where(known, values, 0.0), known.astype(np.float64))


def ratio_of_sums(part: np.ndarray, whole: np.ndarray) -> Ratio:
    """Mean over the classes of the sum of `part` by the sum of `whole` over the cases; nan where all wholes are 0.

    Both [cases, classes], of any number type; nan counts as 0.
    """
    return Ratio(np.nan_to_num(part.astype(np.float64)), np.nan_to_num(whole.astype(np.float64)))


@dataclass(frozen=True)
class Resampling:
    """How a test set is drawn anew: `groups` names the group of each case."""

    groups: Sequence[str]
    resamples: int
    seed: int
    confidence: float

    def interval(self, statistic: Statistic) -> Interval:
        """The figure of all cases with its interval; every call sees the same resamples.

        Resamples in which the figure is nan do not count: the interval is conditional on a value.
        """
        _, group_of_case = np.unique(np.asarray(self.groups), return_inverse=True)
        value = float(statistic(np.ones((1, len(group_of_case))))[0])
        alone = np.concatenate([statistic(block) for block in _blocks(group_of_case)])
        n = int((~np.isnan(alone)).sum())
        if n < 2:
            return Interval(value, None, None)
        without = np.concatenate([statistic(1 - block) for block in _blocks(group_of_case)])
        found = np.concatenate([statistic(weights) for weights in self._draws(group_of_case)])
        found = found[~np.isnan(found)]
        tails = _tails(value, found, without[~np.isnan(without)], n, self.confidence)
        low, high = np.quantile(found, tails, method="weibull")
        return Interval(value, float(low), float(high))

    def _draws(self, group_of_case: np.ndarray) -> Iterator[np.ndarray]:
        """Weights of the cases in chunks, float64 [resamples of the chunk, cases]."""
        for counts in group_counts(int(group_of_case.max()) + 1, self.resamples, self.seed, len(group_of_case)):
            yield counts[:, group_of_case]


def chunks(resamples: int, width: int) -> Iterator[int]:
    """Cut the resamples into parts that hold at most `WEIGHTS` values in rows of `width`."""
    rows = max(1, WEIGHTS // width)
    yield from (min(rows, resamples - start) for start in range(0, resamples, rows))


def group_counts(groups: int, resamples: int, seed: int, width: int) -> Iterator[np.ndarray]:
    """How often each group is drawn, float64 [resamples of a chunk, groups].

    `width`: of the widest rows that are made of them; it changes the chunks, not the draws.
    """
    draws = np.random.default_rng(seed)
    for count in chunks(resamples, width):
        drawn = draws.integers(groups, size=(count, groups))
        drawn += groups * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups).astype(np.float64)


def _blocks(group_of_case: np.ndarray) -> Iterator[np.ndarray]:
    """Weights of the cases that leave one group alone, or one of `BLOCKS` blocks of more groups; in chunks."""
    groups = int(group_of_case.max()) + 1
    blocks = min(groups, BLOCKS)
    block_of_case = group_of_case * blocks // groups
    for part in np.split(np.arange(blocks), np.cumsum([*chunks(blocks, len(group_of_case))])[:-1]):
        yield (block_of_case == part[:, None]).astype(np.float64)


def _tails(value: float, found: np.ndarray, without: np.ndarray, n: int, confidence: float) -> np.ndarray:
    """Shares of the resamples below both bounds; `without`: the figure without each block."""
    quantile = math.sqrt(n / (n - 1)) * float(stdtrit(n - 1, (1 + confidence) / 2))
    below = (np.mean(found < value) + np.mean(found <= value)) / 2
    bias = float(ndtri(np.clip(below, 1 / (len(found) + 1), len(found) / (len(found) + 1))))
    pulls = without.mean() - without
    spread = float((pulls**2).sum())
    acceleration = float((pulls**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    normal = bias + np.array([-quantile, quantile])
    return ndtr(bias + normal / np.maximum(1 - acceleration * normal, LEAST_DIVISOR))
