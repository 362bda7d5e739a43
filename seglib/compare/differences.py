"""The difference of two sides in one figure: its interval and its p-value.

A side is one run, or several that differ in their seeds. All runs measure the same cases, so groups are drawn for
all runs at once (paired bootstrap). The interval is Student's, with the bootstrap variance: differences of paired
cases are heavy-tailed to both sides, where percentile and BCa intervals are too short (`benchmarks.verdict`).

One run a side: the difference of these two models on other cases. The variance is that of the groups.

Several runs a side: runs and groups are both drawn from more than these, so that the variance has two sources
(crossed random effects). That of the groups is the bootstrap variance with the runs kept. That of the runs needs no
drawing: the bootstrap variance of a mean is known, s² / R without bias. Both hold the noise of each run in each
group, which therefore counts once only (two-way clustering: Cameron, Gelbach and Miller, Journal of Business and
Economic Statistics 29, 2011); runs that differ no more than it explains add nothing. Three runs say little about
their own spread, so the degrees of freedom are those of Welch and Satterthwaite (Welch, Biometrika 34, 1947), but not
fewer than those of the fewest, below which the subtracted noise may take them.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from seglib.statistics import Interval, Ratio, chunks, group_counts

ROUNDING = 1e-9
"""By which figures that are the same may differ."""


@dataclass(frozen=True)
class Pair:
    """One figure of both sides: for each run a ratio whose rows are groups, the same groups for all."""

    base: tuple[Ratio, ...]
    head: tuple[Ratio, ...]
    better: int
    """As of `Measure`."""

    @property
    def groups(self) -> int:
        """The rows."""
        return len(self.base[0].part)

    @property
    def n(self) -> int:
        """Groups of which every run has a value."""
        return int(np.all([(ratio.whole > 0).any(1) for ratio in (*self.base, *self.head)], axis=0).sum())

    def figures(self, weights: np.ndarray) -> "Figures":
        """Those of all runs under weights of the groups, float64 [resamples, groups]."""
        base, head = (np.stack([ratio(weights) for ratio in side], 1) for side in (self.base, self.head))
        return Figures(base, head)


@dataclass(frozen=True)
class Figures:
    """Of the runs of both sides, float64 [resamples, runs of the side]."""

    base: np.ndarray
    head: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Head minus base, of the means over the runs, float64 [resamples]."""
        return self.head.mean(1) - self.base.mean(1)

    def losses(self, better: int) -> "Figures":
        """The same in a direction in which more is worse, so that the difference is the drop."""
        turn = np.abs if better == 0 else np.negative if better > 0 else np.positive
        return Figures(turn(self.base), turn(self.head))


@dataclass(frozen=True)
class Draws:
    """A figure of all groups and of groups drawn anew."""

    n: int
    whole: Figures
    drawn: Figures

    def interval(self, confidence: float) -> Interval:
        """Of the difference; without bounds where fewer than two groups have a value."""
        value = float(self.whole.difference[0])
        if self.n < 2:
            return Interval(value, None, None)
        variance, freedom = self._variance()
        half = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(variance)
        return Interval(value, value - half, value + half)

    def losses(self, better: int) -> "Draws":
        """The same in a direction in which more is worse."""
        return Draws(self.n, self.whole.losses(better), self.drawn.losses(better))

    def _variance(self) -> tuple[float, float]:
        """Of the difference, and its degrees of freedom."""
        unbiased = self.n / (self.n - 1)
        by_group = unbiased * float(np.nanvar(self.drawn.difference))
        sides = [(self.whole.base[0], self.drawn.base), (self.whole.head[0], self.drawn.head)]
        several = [(runs, drawn) for runs, drawn in sides if len(runs) > 1]
        by_run = [float(np.var(runs, ddof=1)) / len(runs) for runs, _ in several]
        noise = sum(unbiased * _noise(drawn) / len(runs) for runs, drawn in several)
        excess = sum(by_run) - noise
        if excess <= 0:
            return by_group, self.n - 1
        variance = by_group + excess
        parts = [
            (by_group, self.n - 1),
            *((own, len(runs) - 1) for own, (runs, _) in zip(by_run, several, strict=True)),
        ]
        freedom = variance**2 / sum(part**2 / of_part for part, of_part in parts)
        return variance, max(freedom, min(of_part for _, of_part in parts))


def _noise(drawn: np.ndarray) -> float:
    """Variance over the draws of what a run has beside the mean of its side, float64 [resamples, runs]."""
    own = drawn - drawn.mean(1, keepdims=True)
    return float(np.nanvar(own, axis=0).sum()) / (drawn.shape[1] - 1)


def resample(pairs: Mapping[str, Pair], resamples: int, seed: int) -> dict[str, Draws]:
    """Draw the groups anew, the same groups for all figures."""
    groups = next(iter(pairs.values())).groups
    found: dict[str, list[Figures]] = {name: [] for name in pairs}
    for weights in group_counts(groups, resamples, seed, groups):
        for name, pair in pairs.items():
            found[name].append(pair.figures(weights))
    return {
        name: Draws(
            pair.n,
            pair.figures(np.ones((1, groups))),
            Figures(*(np.concatenate([getattr(each, side) for each in found[name]]) for side in ("base", "head"))),
        )
        for name, pair in pairs.items()
    }


def p_value(pair: Pair, resamples: int, seed: int) -> float:
    """Of a two-sided permutation test of no difference.

    One run a side: the labels base and head are exchanged in some of the groups. Several: the runs are dealt to the
    sides anew; 3 a side can be dealt in 20 ways, so that p is 0.1 at the least. All ways are counted where there are
    no more than `resamples`, else (b + 1) / (m + 1) of m random ones (Phipson and Smyth, Statistical Applications in
    Genetics and Molecular Biology 9, 2010).
    """
    if len(pair.base) == len(pair.head) == 1:
        return _exchange_groups(pair.base[0], pair.head[0], resamples, seed)
    return _deal_runs(pair, resamples, seed)


def _exchange_groups(base: Ratio, head: Ratio, resamples: int, seed: int) -> float:
    both = Ratio(np.concatenate([base.part, head.part]), np.concatenate([base.whole, head.whole]))
    groups = len(base.part)

    def differences(kept: np.ndarray) -> np.ndarray:
        return both(np.concatenate([~kept, kept], 1)) - both(np.concatenate([kept, ~kept], 1))

    every = groups <= math.log2(resamples)
    exchanges = _every_exchange(groups) if every else _random_exchanges(groups, resamples, seed)
    found = np.abs(np.concatenate([differences(kept) for kept in exchanges]))
    reached = np.sum(found >= abs(float(differences(np.ones((1, groups), bool))[0])) - ROUNDING)
    counted = np.sum(~np.isnan(found))
    return float(reached / counted if every else (reached + 1) / (counted + 1))


def _every_exchange(groups: int) -> Iterator[np.ndarray]:
    yield (np.arange(2**groups)[:, None] >> np.arange(groups) & 1).astype(bool)


def _random_exchanges(groups: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    draws = np.random.default_rng(seed)
    for count in chunks(resamples, groups):
        yield draws.integers(2, size=(count, groups)).astype(bool)


def _deal_runs(pair: Pair, resamples: int, seed: int) -> float:
    figures = pair.figures(np.ones((1, pair.groups)))
    runs = np.concatenate([figures.head[0], figures.base[0]])
    heads, number = figures.head.shape[1], len(runs)
    every = math.comb(number, heads) <= resamples
    if every:
        dealt = np.array(list(itertools.combinations(range(number), heads)))
    else:
        draws = np.random.default_rng(seed)
        dealt = draws.permuted(np.tile(np.arange(number), (resamples, 1)), axis=1)[:, :heads]
    means = runs[dealt].mean(1)
    rest = (runs.sum() - heads * means) / (number - heads)
    reached = np.sum(np.abs(means - rest) >= abs(float(figures.difference[0])) - ROUNDING)
    return float(reached / len(dealt) if every else (reached + 1) / (len(dealt) + 1))
