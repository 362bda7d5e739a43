"""Populations of test cases and models whose true drop is known: Dice-like figures, most high and some near 0."""

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
    """Cases in groups, and two recipes.

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
        """Group of each case, int64 [cases], and Dice, float64 [2 sides, runs, cases]."""
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
        return groups, np.stack([base, head * kept]) * seeds

    def _distribution(self, failures: float) -> np.ndarray:
        return failures * FAILED + (1 - failures) * GOOD


def _normal(draws: np.random.Generator, groups: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal [*shape, cases], with the part that groups have in common."""
    of_group = draws.normal(size=(*shape, groups[-1] + 1))[..., groups]
    return np.sqrt(OF_GROUP) * of_group + np.sqrt(1 - OF_GROUP) * draws.normal(size=(*shape, len(groups)))


def _mean(distribution: np.ndarray) -> float:
    return float(np.trapezoid(1 - distribution, GRID))
