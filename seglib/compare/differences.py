"""The difference of two sides in one figure: its interval and its p-value.

A side is one run, or several that differ in their seeds. All runs measure the same cases, so a group moves all of
them at once. The interval is that of `seglib.statistics`, on the plain scale.

One run a side: the difference of these two models on other cases. The variance is that of the groups.

Several runs a side: runs and groups both stand for more than these, so that the variance has two sources (crossed
random effects). That of the groups is the jackknife's with the runs kept. That of the runs is that of a mean, s² / R.
Both hold the noise of each run in each group, which therefore counts once only (two-way clustering: Cameron, Gelbach
and Miller, Journal of Business and Economic Statistics 29, 2011); runs that differ no more than it explains add
nothing. Three runs say little about their own spread, so the degrees of freedom are those of Welch and Satterthwaite
(Welch, Biometrika 34, 1947), but not fewer than those of the fewest, below which the subtracted noise may take them.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seglib.statistics import Interval, Ratio, freedom, student

PERMUTATIONS = 2000
"""Drawn for a p-value, where all of them are more."""
LABELS = 2**16
"""Held at a time, which a processor keeps at hand."""
FEWEST_GROUPS = 3
"""With a value of a class; fewer say next to nothing of its spread."""
ROUNDING = 1e-9
"""By which figures that are the same may differ."""


@dataclass(frozen=True)
class Runs:
    """A figure of the runs of a side."""

    values: np.ndarray
    """float64 [runs]."""
    pulls: np.ndarray
    """As of `Ratio`, float64 [runs, groups]."""

    def losses(self, better: int) -> "Runs":
        """The same in a direction in which more is worse."""
        sign = np.where(self.values < 0, -1, 1) if better == 0 else np.full(len(self.values), -better)
        return Runs(sign * self.values, sign[:, None] * self.pulls)

    @property
    def variance(self) -> float:
        """Of the mean over the runs, from their spread."""
        return float(np.var(self.values, ddof=1)) / len(self.values)

    @property
    def noise(self) -> float:
        """What the groups add to the variance of the mean by moving each run differently."""
        own = self.pulls - self.pulls.mean(0)
        return float((own**2).sum()) / (len(own) - 1) / len(own)


@dataclass(frozen=True)
class Difference:
    """A figure of both sides."""

    base: Runs
    head: Runs
    fewest: int
    """As of `Ratio`, in the run in which it is least."""

    def interval(self, confidence: float) -> Interval:
        """Of head minus base; without bounds where a class has a value in fewer than two groups."""
        value = float(self.head.values.mean() - self.base.values.mean())
        if self.fewest < 2:
            return Interval(value, None, None)
        return student(value, *self._variance(), confidence)

    def losses(self, better: int) -> "Difference":
        """The same in a direction in which more is worse."""
        return Difference(self.base.losses(better), self.head.losses(better), self.fewest)

    def _variance(self) -> tuple[float, float]:
        """Of the difference, and its degrees of freedom."""
        pulls = self.head.pulls.mean(0) - self.base.pulls.mean(0)
        by_group = float((pulls**2).sum()), freedom(pulls, self.fewest)
        several = [side for side in (self.base, self.head) if len(side.values) > 1]
        by_run = [(side.variance, len(side.values) - 1) for side in several]
        excess = sum(variance for variance, _ in by_run) - sum(side.noise for side in several)
        if excess <= 0:
            return by_group
        variance, parts = by_group[0] + excess, [by_group, *by_run]
        welch = variance**2 / sum(part**2 / of_part for part, of_part in parts)
        return variance, max(welch, min(of_part for _, of_part in parts))


@dataclass(frozen=True)
class Pair:
    """One figure of both sides: for each run a ratio whose rows are groups, the same groups for all."""

    base: tuple[Ratio, ...]
    head: tuple[Ratio, ...]

    @property
    def deciding(self) -> np.ndarray:
        """Classes that every run has a value of in FEWEST_GROUPS groups or in none, bool [classes].

        All, where a run has a value of no such class.
        """
        shown = np.stack([run.shown for run in (*self.base, *self.head)])
        known = ((shown == 0) | (shown >= FEWEST_GROUPS)).all(0)
        return known if shown[:, known].any(1).all() else np.ones_like(known)

    def of_classes(self, chosen: np.ndarray) -> "Pair":
        """The same over some of the classes, bool [classes]."""
        base, head = (tuple(run.of_classes(chosen) for run in side) for side in (self.base, self.head))
        return Pair(base, head)

    @property
    def difference(self) -> Difference:
        """With what each group adds to it."""
        base, head = (
            Runs(np.array([run.value for run in side]), np.stack([run.pulls for run in side]))
            for side in (self.base, self.head)
        )
        return Difference(base, head, min(run.fewest for run in (*self.base, *self.head)))


def p_value(pair: Pair, permutations: int, seed: int) -> float:
    """Of a two-sided permutation test of no difference.

    One run a side: the labels base and head are exchanged in some of the groups. Several: the runs are dealt to the
    sides anew; 3 a side can be dealt in 20 ways, so that p is 0.1 at the least. All ways are counted where there are
    no more than `permutations`, else (b + 1) / (m + 1) of m random ones (Phipson and Smyth, Statistical Applications
    in Genetics and Molecular Biology 9, 2010).
    """
    if len(pair.base) == len(pair.head) == 1:
        return _exchange_groups(pair.base[0], pair.head[0], permutations, seed)
    base, head = (np.array([run.value for run in side]) for side in (pair.base, pair.head))
    return _deal_runs(base, head, permutations, seed)


def _exchange_groups(base: Ratio, head: Ratio, permutations: int, seed: int) -> float:
    both = Ratio(np.concatenate([base.part, head.part]), np.concatenate([base.whole, head.whole]))
    groups = len(base.part)

    def differences(kept: np.ndarray) -> np.ndarray:
        return both(np.concatenate([~kept, kept], 1)) - both(np.concatenate([kept, ~kept], 1))

    every = groups <= math.log2(permutations)
    exchanges = _every_exchange(groups) if every else _random_exchanges(groups, permutations, seed)
    found = np.abs(np.concatenate([differences(kept) for kept in exchanges]))
    reached = np.sum(found >= abs(float(differences(np.ones((1, groups), bool))[0])) - ROUNDING)
    counted = np.sum(~np.isnan(found))
    return float(reached / counted if every else (reached + 1) / (counted + 1))


def _every_exchange(groups: int) -> Iterator[np.ndarray]:
    yield (np.arange(2**groups)[:, None] >> np.arange(groups) & 1).astype(bool)


def _random_exchanges(groups: int, permutations: int, seed: int) -> Iterator[np.ndarray]:
    draws = np.random.default_rng(seed)
    rows = max(1, LABELS // groups)
    for start in range(0, permutations, rows):
        yield draws.integers(2, size=(min(rows, permutations - start), groups)).astype(bool)


def _deal_runs(base: np.ndarray, head: np.ndarray, permutations: int, seed: int) -> float:
    runs = np.concatenate([head, base])
    heads, number = len(head), len(runs)
    every = math.comb(number, heads) <= permutations
    if every:
        dealt = np.array(list(itertools.combinations(range(number), heads)))
    else:
        draws = np.random.default_rng(seed)
        dealt = draws.permuted(np.tile(np.arange(number), (permutations, 1)), axis=1)[:, :heads]
    means = runs[dealt].mean(1)
    rest = (runs.sum() - heads * means) / (number - heads)
    reached = np.sum(np.abs(means - rest) >= abs(float(head.mean() - base.mean())) - ROUNDING)
    return float(reached / len(dealt) if every else (reached + 1) / (len(dealt) + 1))
