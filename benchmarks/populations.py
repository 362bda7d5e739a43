"""Populations of test cases and models whose true figure, or drop, is known."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import betainc, ndtr

GRID = np.linspace(0, 1, 20001)
GOOD, FAILED = betainc(12, 2, GRID), betainc(1, 15, GRID)
"""Distribution functions of a Dice where the object is found, of mean 0.857, and where it is not, of mean 0.0625."""
COMMON, OF_RECIPE = 0.8, 0.1
"""Shares of a latent difficulty that all models have in common, and that all runs of a recipe have; the rest is the
noise of a run."""
OF_GROUP = 0.3
"""Share of each of them that the cases of a group have in common."""


@dataclass(frozen=True)
class Population:
    """Cases in groups, and two recipes; Dice-like figures, most high and some near 0.

    Every case has a latent normal difficulty for each run, and its Dice is the quantile of it: so the mean of a
    recipe is that of the distribution, whatever the cases have in common.
    """

    groups: int
    most_cases: int = 1
    """A group has 1 to so many."""
    runs: int = 1
    """A side."""
    drop: float = 0.0
    """From base to head, in the mean over all cases."""
    failing: bool = False
    """Whether head drops by more failures, else by a little in all cases."""
    seed_sd: float = 0.0
    """Deviation of a recipe's mean Dice between its runs."""
    one_recipe: bool = False
    """Whether both sides are runs of one recipe."""
    failures: float = 0.07
    """Share of the cases in which base does not find the object."""

    @cached_property
    def mean(self) -> float:
        """The true mean Dice of base."""
        return _mean(self._distribution(self.failures))

    def draw(self, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Group of each case, int64 [cases], and Dice, float64 [2 sides, runs, cases, 1 class]."""
        groups = np.repeat(np.arange(self.groups), draws.integers(1, self.most_cases + 1, self.groups))
        common = _normal(draws, groups, ())
        recipes = _normal(draws, groups, (1 if self.one_recipe else 2, 1))
        noise = _normal(draws, groups, (2, self.runs))
        shares = np.sqrt([COMMON, OF_RECIPE, 1 - COMMON - OF_RECIPE])
        levels = ndtr(shares[0] * common + shares[1] * recipes + shares[2] * noise)
        more = self.drop / (_mean(GOOD) - _mean(FAILED)) if self.failing else 0.0
        base, head = (
            np.interp(level, self._distribution(failures), GRID)
            for level, failures in zip(levels, (self.failures, self.failures + more), strict=True)
        )
        kept = 1 if self.failing else 1 - self.drop / self.mean
        seeds = 1 + draws.normal(0, self.seed_sd, (2, self.runs, 1)) / self.mean
        return groups, (np.stack([base, head * kept]) * seeds)[..., None]

    def _distribution(self, failures: float) -> np.ndarray:
        return failures * FAILED + (1 - failures) * GOOD


@dataclass(frozen=True)
class RareClass:
    """Two classes: one that every group shows, as in `Population`, and one that few show and that is always found."""

    shown: int
    """Groups that show the rare class."""
    drop: float = 0.0
    """Of each class."""
    groups: int = 60

    @property
    def mean(self) -> float:
        """The true mean over the classes, of base."""
        return (Population(self.groups).mean + _mean(GOOD)) / 2

    def draw(self, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Group of each case, int64 [cases], and Dice, float64 [2 sides, 1 run, cases, 2 classes]; nan: not shown."""
        groups, common = Population(self.groups, drop=self.drop).draw(draws)
        _, rare = Population(self.groups, drop=self.drop, failures=0.0).draw(draws)
        rare[:, :, self.shown :] = np.nan
        return groups, np.concatenate([common, rare], axis=-1)


@dataclass(frozen=True)
class Objects:
    """Objects of very different sizes, one a group: pooled Dice."""

    groups: int
    size_sd: float = 1.0
    """Of the logarithm of the size."""
    mean: float = 0.8

    def draw(self, draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Part and whole of the pooled Dice, float64 [groups, 1]."""
        sizes = draws.lognormal(0, self.size_sd, (self.groups, 1))
        return sizes * draws.beta(10 * self.mean, 10 * (1 - self.mean), sizes.shape), sizes


@dataclass(frozen=True)
class Distances:
    """Distances in pixels, one a group: a few where the object is found, hundreds where it is not."""

    groups: int
    misses: float = 0.07

    @property
    def mean(self) -> float:
        """The true mean."""
        return (1 - self.misses) * 6 + self.misses * 300

    def draw(self, draws: np.random.Generator) -> np.ndarray:
        """float64 [groups, 1]."""
        found, missed = draws.gamma(1.5, 4, (self.groups, 1)), draws.uniform(200, 400, (self.groups, 1))
        return np.where(draws.random(found.shape) < self.misses, missed, found)


def _normal(draws: np.random.Generator, groups: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal [*shape, cases], with the part that groups have in common."""
    of_group = draws.normal(size=(*shape, groups[-1] + 1))[..., groups]
    return np.sqrt(OF_GROUP) * of_group + np.sqrt(1 - OF_GROUP) * draws.normal(size=(*shape, len(groups)))


def _mean(distribution: np.ndarray) -> float:
    return float(np.trapezoid(1 - distribution, GRID))
