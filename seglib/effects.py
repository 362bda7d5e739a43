"""Which setting moved a metric: its mean by the values of each setting in which groups of experiments differ.

The mean of a value is the mean of the groups that have it, whatever else they differ in (a marginal mean, as the main
effects of a designed experiment: Montgomery, Design and Analysis of Experiments, chapter 5). Where not every
combination of the values was run, settings that were changed together cannot be told apart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CONFOUNDED_NOTE = (
    "not every combination of the values was run, so what a setting seems to do may be due to another "
    "that was changed with it"
)


@dataclass(frozen=True)
class Level:
    """One value of a setting."""

    value: Any
    mean: float
    """Of the groups' means."""
    groups: int


@dataclass(frozen=True)
class Effect:
    """One setting and the metric under each of its values, the greatest mean first."""

    setting: str
    levels: tuple[Level, ...]

    @property
    def range(self) -> float:
        """Between the greatest and the least mean."""
        return self.levels[0].mean - self.levels[-1].mean


def effects(groups: Sequence[tuple[Mapping[str, Any], float]]) -> list[Effect]:
    """Of all settings that differ, from the groups' settings and means; the greatest range first.

    Groups that lack a setting do not count for it.
    """
    settings = dict.fromkeys(key for each, _ in groups for key in each)
    found = [Effect(key, _levels([(each[key], mean) for each, mean in groups if key in each])) for key in settings]
    return sorted((effect for effect in found if len(effect.levels) > 1), key=lambda effect: -effect.range)


def is_full_grid(groups: Sequence[tuple[Mapping[str, Any], float]]) -> bool:
    """Whether every combination of the settings' values is among the groups, which are all different."""
    sizes = [len(effect.levels) for effect in effects(groups)]
    same_settings = all(each.keys() == groups[0][0].keys() for each, _ in groups)
    return same_settings and math.prod(sizes) == len(groups)


def _levels(found: Sequence[tuple[Any, float]]) -> tuple[Level, ...]:
    values: list[Any] = []  # may be lists, which have no hash
    for value, _ in found:
        if value not in values:
            values.append(value)
    means = [[mean for other, mean in found if other == value] for value in values]
    levels = [Level(value, sum(of) / len(of), len(of)) for value, of in zip(values, means, strict=True)]
    return tuple(sorted(levels, key=lambda level: -level.mean))
