"""Does a change matter: two sides measured on the same cases, figure by figure, with a verdict by one of them.

The null hypothesis of `fail`: the primary figure's true drop is at most `max_drop`, the drop being the worsening
from base to head. The two-sided interval of the drop decides, and is the one that is shown. It lies wholly above
`max_drop`: fail. Wholly at most: pass. `max_drop` lies inside: warn, for the cases cannot tell. So a true drop of
exactly `max_drop` fails in (1 - confidence) / 2 of all comparisons, and passes in as many; `benchmarks.verdict`
measures it.

A class with a value in fewer than three groups has no interval, or one of any width, and would give the same to the
mean over the classes. The others decide then; but nothing passes where the drop over all classes exceeds `max_drop`.

What the verdict speaks of depends on the runs. One a side: these two models on other cases like these. Two trainings
of one recipe are two models, which do differ; where they differ by more than `max_drop`, the verdict says so. It takes
three runs of different seeds a side to say that the change of the recipe did it (`seglib.compare.differences`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from seglib.case_table import CaseTable
from seglib.compare.differences import FEWEST_GROUPS, Difference, Pair, p_value
from seglib.compare.pairing import FEWEST_RUNS, Side, matched
from seglib.errors import SegError, nearest
from seglib.figures import figures
from seglib.measures import FIGURES, Measure
from seglib.sections.compare import Rule
from seglib.statistics import Interval, Ratio

OfRuns = Sequence[Sequence[Mapping[str, Ratio]]]
"""The figures of each run of base and of head."""
OF_PREDICTIONS = ("precision_pooled", "lesion_precision")
"""Figures without a value where nothing is predicted, missed objects or not."""
ROUNDING = 9
"""Digits that decide."""


class Verdict(StrEnum):
    """What the rule says of the drop."""

    PASS = "pass"  # noqa: S105  (no password)
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Change:
    """One figure of both sides; of several runs a side it is their mean."""

    measure: Measure
    base: float
    head: float
    difference: Interval
    """Head minus base."""
    p: float
    better: float | None
    """Share of the cases that are better in head, of those that have a value on either side; None without any.

    No value beside one counts as perfect: there was nothing to find, and nothing was found.
    """
    worse: float | None


@dataclass(frozen=True)
class CaseChange:
    """The primary figure of one case."""

    id: str
    group: str
    base: float | None
    """None where no run of the side has a value."""
    head: float | None
    gain: float
    """How much better head is, in the figure's direction; no value counts as perfect."""


@dataclass(frozen=True)
class Comparison:
    """What two sides differ in, and the verdict."""

    base: str
    head: str
    runs: tuple[int, int]
    n: int
    n_groups: int
    rule: Rule
    changes: tuple[Change, ...]
    """Of FIGURES; those that lack a value on either side are left out."""
    cases: tuple[CaseChange, ...]
    """The most improved first; without those that have no value on either side."""
    drop: Interval
    """Of the primary figure, in its direction: more is worse; without the classes that do not decide."""
    whole_drop: float
    """With them."""
    undecided: tuple[str, ...]
    """Classes with a value in too few groups to decide."""

    @property
    def primary(self) -> Change:
        """The figure that decides."""
        return next(change for change in self.changes if change.measure.name == self.rule.metric)

    @property
    def verdict(self) -> Verdict:
        """By the rule."""
        found = judge(self.drop, self.rule.max_drop)
        return Verdict.WARN if found is Verdict.PASS and self._loses_more_as_a_whole else found

    @property
    def _loses_more_as_a_whole(self) -> bool:
        return round(self.whole_drop - self.rule.max_drop, ROUNDING) > 0

    @property
    def subject(self) -> str:
        """Of what the verdict speaks."""
        if self.runs == (1, 1):
            return (
                "these two models; a verdict on the change itself needs "
                f"{FEWEST_RUNS} runs of different seeds a side, for seeds alone make models differ"
            )
        return f"the change, over {self.runs[0]} runs of {self.base} and {self.runs[1]} of {self.head}"

    @property
    def reason(self) -> str:
        """Why the verdict is what it is."""
        drop, limit = self.drop, f"{self.rule.max_drop:g}"
        if drop.low is None or drop.high is None:
            return (
                f"no class has a value in two groups, so the drop in {self.rule.metric}, {drop.value:.4f}, has no "
                "interval; choose more test groups"
            )
        interval = f"the {100 * self.rule.confidence:g} % interval of the drop in {self.rule.metric}"
        place = {
            Verdict.FAIL: f"lies above the {limit} that is accepted",
            Verdict.PASS: f"does not exceed the {limit} that is accepted",
            Verdict.WARN: f"holds the {limit} that is accepted: these cases cannot tell",
        }
        return f"{interval}, {drop.low:.4f} to {drop.high:.4f}, {place[judge(drop, self.rule.max_drop)]}{self._rest}"

    @property
    def _rest(self) -> str:
        """What is to be said of the classes that do not decide."""
        if not self.undecided:
            return ""
        left_out = f"; left out, with a value in fewer than {FEWEST_GROUPS} groups: {', '.join(self.undecided)}"
        return f"{left_out}; with them the drop is {self.whole_drop:.4f}" if self._loses_more_as_a_whole else left_out

    def most_improved(self, count: int) -> tuple[CaseChange, ...]:
        """At most so many cases that are better in head, the most improved first."""
        return tuple(case for case in self.cases[:count] if case.gain > 0)

    def most_worsened(self, count: int) -> tuple[CaseChange, ...]:
        """At most so many cases that are worse in head, the most worsened first."""
        return tuple(case for case in self.cases[::-1][:count] if case.gain < 0)


def judge(drop: Interval, max_drop: float) -> Verdict:
    """Place the interval of the drop; without one nobody can tell."""
    if drop.low is None or drop.high is None:
        return Verdict.WARN
    if round(drop.low - max_drop, ROUNDING) > 0:
        return Verdict.FAIL
    return Verdict.PASS if round(drop.high - max_drop, ROUNDING) <= 0 else Verdict.WARN


def compare(base: Side, head: Side, rule: Rule, permutations: int, seed: int) -> Comparison:
    """Compare two sides, case by case.

    Raises SegError for a figure that does not exist or has no value, and for sides that cannot be paired.
    """
    measures = {measure.name: measure for measure in FIGURES}
    if rule.metric not in measures:
        raise SegError(f"compare.metric: no figure '{rule.metric}'; {nearest(rule.metric, measures)}")
    sides = matched(base, head)
    like = sides[0][0]
    of_runs = [[figures(table.columns) for table in side] for side in sides]
    pairs = {name: _pair(name, of_runs, like.groups) for name in measures}
    differences = {name: pair.difference for name, pair in pairs.items()}
    differences = {name: found for name, found in differences.items() if found.fewest}
    if rule.metric not in differences:
        raise SegError(f"not every run has a case with a value of {rule.metric}; choose another compare.metric")
    of_cases = {name: _of_cases(measures[name], of_runs) for name in differences}
    primary, better = pairs[rule.metric], measures[rule.metric].better
    deciding = primary.deciding
    drop, whole_drop = (
        pair.difference.losses(better).interval(rule.confidence) for pair in (primary.of_classes(deciding), primary)
    )
    changes = [
        _change(measures[name], found, of_cases[name], p_value(pairs[name], permutations, seed), rule.confidence)
        for name, found in differences.items()
    ]
    return Comparison(
        base.name,
        head.name,
        (len(sides[0]), len(sides[1])),
        len(like.ids),
        len(set(like.groups)),
        rule,
        tuple(changes),
        _case_changes(like, of_cases[rule.metric], measures[rule.metric]),
        drop,
        whole_drop.value,
        tuple(name for name, decides in zip(like.classes, deciding.tolist(), strict=True) if not decides),
    )


def _pair(name: str, of_runs: OfRuns, groups: Sequence[str]) -> Pair:
    base, head = (tuple(run[name].by_group(groups) for run in side) for side in of_runs)
    return Pair(base, head)


def _of_cases(measure: Measure, of_runs: OfRuns) -> np.ndarray:
    """Means over the runs of the cases' figures, float64 [2, cases]; nan where no run of the side has one."""
    sides = [np.stack([run[measure.name].of_cases() for run in side]) for side in of_runs]
    return np.stack([_or_perfect(side, measure).mean(axis=0) for side in sides])


def _or_perfect(values: np.ndarray, measure: Measure) -> np.ndarray:
    """Values [runs or sides, cases], with the best there is where a case has none beside one.

    None, then, says that there was nothing to find, and nothing was found; not so in shares of what is predicted.
    """
    if measure.name in OF_PREDICTIONS:
        return values
    missing = np.isnan(values)
    return np.where(missing & ~missing.all(axis=0), float(measure.better > 0), values)


def _change(measure: Measure, found: Difference, of_cases: np.ndarray, p: float, confidence: float) -> Change:
    gains = _gains(of_cases, measure)
    known = np.round(gains[~np.isnan(gains)], ROUNDING)
    gained, lost = (float(np.mean(part)) if known.size else None for part in (known > 0, known < 0))
    base, head = (float(side.values.mean()) for side in (found.base, found.head))
    return Change(measure, base, head, found.interval(confidence), p, gained, lost)


def _gains(of_cases: np.ndarray, measure: Measure) -> np.ndarray:
    """How much better head is in each case, float64 [cases]."""
    base, head = _or_perfect(of_cases, measure)
    return measure.better * (head - base) if measure.better else np.abs(base) - np.abs(head)


def _case_changes(table: CaseTable, of_cases: np.ndarray, measure: Measure) -> tuple[CaseChange, ...]:
    shown = ([None if math.isnan(value) else value for value in side] for side in of_cases.tolist())
    rows = zip(table.ids, table.groups, *shown, _gains(of_cases, measure).tolist(), strict=True)
    known = [CaseChange(*row) for row in rows if not math.isnan(row[-1])]
    return tuple(sorted(known, key=lambda case: (-case.gain, case.id)))
