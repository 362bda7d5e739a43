"""What a metric is worth over several seeds or folds: mean, deviation and interval of like experiments.

Experiments are alike where they differ in nothing but `train.seed`, `split.seed`, `split.fold` and
`data.<name>.seed`: code and library versions count as well, and so does `split.folds`. The 95 % interval of
the mean is mean ± t · s / √n with the 0.975 quantile t of Student's distribution with n - 1 degrees of freedom
(Student, Biometrika 6, 1908) and the sample deviation s. Over seeds of training alone it speaks of other
seeds on the same test side, not of other data. It takes the runs for independent. Folds are not:
any two share training data, so no unbiased estimate of the variance exists (Bengio and Grandvalet, JMLR 5,
2004), and the interval over folds is no confidence interval in the strict sense.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import stdtrit

from seglib.effects import CONFOUNDED_NOTE, Effect, effects, is_full_grid
from seglib.errors import SegError, nearest

VARIED = re.compile(r"train\.seed|split\.seed|split\.fold|data\.[^.]+\.seed")
FOLDS_NOTE = "folds share training data, so an interval over folds is no confidence interval in the strict sense"


@dataclass(frozen=True)
class Run:
    """One experiment; keys of params and metrics are dotted."""

    name: str
    state: str
    """finished, or what else became of it: running, queued, failed."""
    params: Mapping[str, Any]
    metrics: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Digests of the code and data that it started from."""

    @cached_property
    def settings(self) -> dict[str, Any]:
        """All in which like experiments agree."""
        return {key: value for key, value in self.params.items() if not VARIED.fullmatch(key)} | dict(self.inputs)

    @cached_property
    def varied(self) -> dict[str, Any]:
        """The seeds and the fold."""
        return {key: value for key, value in self.params.items() if VARIED.fullmatch(key)}


@dataclass(frozen=True)
class Statistics:
    """Of one metric over n runs; a single run has neither deviation nor interval."""

    n: int
    mean: float
    sd: float | None
    least: float
    greatest: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Group:
    """Like experiments: the settings in which the groups differ, and each run with its value."""

    differing: dict[str, Any]
    runs: list[tuple[Run, float]]

    @property
    def statistics(self) -> Statistics:
        """Of the runs' values."""
        return statistics([value for _, value in self.runs])

    @property
    def varied(self) -> dict[str, list[Any]]:
        """Each seed or fold that differs among the runs, with its values in order."""
        values = {key: sorted({run.varied.get(key, 0) for run, _ in self.runs}) for key in self.runs[0][0].varied}
        return {key: found for key, found in values.items() if len(found) > 1}

    @property
    def folds(self) -> int:
        """Into how many parts cross-validation cuts the data; 0 where there is none."""
        return self.runs[0][0].params.get("split.folds") or 0

    def incomplete(self) -> list[str]:
        """Say which folds are missing, of each cross-validation that has begun."""
        begun: dict[str, set[int]] = {}
        for run, _ in self.runs if self.folds else ():
            seeds = ", ".join(f"{key}={value}" for key, value in run.varied.items() if key != "split.fold")
            begun.setdefault(seeds, set()).add(run.varied["split.fold"])
        return [
            f"{len(folds)} of {self.folds} folds ({seeds}): {', '.join(map(str, missing))} missing"
            for seeds, folds in begun.items()
            if (missing := sorted(set(range(self.folds)) - folds))
        ]


@dataclass(frozen=True)
class LeftOut:
    """An experiment that cannot be counted, with the parameters that tell it from the others."""

    name: str
    differing: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class Summary:
    """Groups of like experiments, that with the greatest mean first, and what could not be counted."""

    metric: str
    groups: list[Group]
    left_out: list[LeftOut]

    @property
    def effects(self) -> list[Effect]:
        """Which setting moved the metric, that which moved it most first."""
        return effects(self._means)

    @property
    def notes(self) -> list[str]:
        """What must be known to read the figures."""
        folds = [FOLDS_NOTE] if any(group.folds for group in self.groups) else []
        confounded = [CONFOUNDED_NOTE] if self.effects and not is_full_grid(self._means) else []
        return [*folds, *confounded]

    @property
    def _means(self) -> list[tuple[dict[str, Any], float]]:
        return [(group.differing, group.statistics.mean) for group in self.groups]


def statistics(values: Sequence[float]) -> Statistics:
    """Mean, sample deviation, extremes and the 95 % interval of the mean, of at least one finite value."""
    n, mean, extremes = len(values), float(np.mean(values)), (min(values), max(values))
    if n == 1:
        return Statistics(n, mean, None, *extremes, None)
    sd = float(np.std(values, ddof=1))
    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return Statistics(n, mean, sd, *extremes, (mean - half, mean + half))


def summarise(runs: Sequence[Run], metric: str) -> Summary:
    """Group the runs in order of appearance; raises SegError for a metric that no finished run has."""
    known = {name for run in runs if run.state == "finished" for name in run.metrics}
    if known and metric not in known:
        raise SegError(f"no metric '{metric}' in the experiments; {nearest(metric, known)}")
    groups: list[list[Run]] = []
    left_out: list[LeftOut] = []
    telling = _differing([run.params for run in runs])
    for run in runs:
        alike = next((group for group in groups if group[0].settings == run.settings), [])
        if reason := _reason(run, metric, alike):
            left_out.append(LeftOut(run.name, _picked(run.params, telling), reason))
            continue
        if not alike:
            groups.append(alike)
        alike.append(run)
    keys = _differing([group[0].settings for group in groups])
    counted = [
        Group(
            _picked(group[0].settings, keys),
            [(run, float(run.metrics[metric])) for run in group],
        )
        for group in groups
    ]
    counted.sort(key=lambda group: -group.statistics.mean)
    return Summary(metric, counted, left_out)


def _differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of which several values are found; to lack one is none, for options come and go with a plug-in."""
    keys = dict.fromkeys(key for each in settings for key in each)
    found = {key: [each[key] for each in settings if key in each] for key in keys}
    return [key for key, values in found.items() if any(value != values[0] for value in values)]


def _picked(settings: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: settings[key] for key in keys if key in settings}


def _reason(run: Run, metric: str, alike: Sequence[Run]) -> str:
    """Why a run cannot be counted; empty where it can."""
    if run.state != "finished":
        return run.state
    value = run.metrics.get(metric)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"no {metric}"
    if not math.isfinite(value):
        return f"{metric} is {value}"
    same = next((other for other in alike if other.varied == run.varied), None)
    return f"repeats {same.name}, with {metric} {value:.4f} and {same.metrics[metric]:.4f}" if same else ""
