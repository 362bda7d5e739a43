"""Error rates of `seg compare`, by simulation: how often it cries wolf, sleeps, and how often intervals hold the truth.

Cases are drawn from populations whose true drop is known (`benchmarks.populations`), and judged as `seg compare`
judges them. The null hypothesis of `fail`: the true drop is at most `max_drop`. Targets, at confidence 0.95:

- intervals of the drop hold it in at least 93 % of the simulations; so do those of Dice itself from 50 groups on, of
  Dice without failures from 2 groups on, of the mean over two classes one of which few groups show, of pooled Dice of
  objects of very different sizes, and of a distance from 50 groups on,
- at a true drop of exactly `max_drop`, and wherever it is less, at most 5 % fail (2.5 % are meant),
- at a true drop of exactly `max_drop` at most 5 % pass,
- power at the stated drop, cases and spread: at least 80 % fail; and where head is better by as much, 80 % pass.

A gate that never fails has no power, and one that always fails cries wolf: neither may meet the targets.

Two figures are shown without a target, for they are no errors that a better gate would not make. Two runs of one
recipe, with one run a side, are two models that do differ: what share fails depends on how far seeds move the mean,
and on `max_drop`. And of 20 cases of which 7 % are failures, one test set in four has no failure to learn from; the
fewer the groups or the failures, the more often.
Exit code 1 where a target is missed.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.measuring import report
from benchmarks.populations import Distances, Objects, Population, RareClass
from seglib.compare.comparison import Verdict, judge
from seglib.compare.differences import Pair
from seglib.statistics import Interval, Scale, interval, mean_of_classes, ratio_of_sums

MAX_DROP = 0.01
CONFIDENCE = 0.95
Gate = Callable[[Interval, float], Verdict]
Draw = Callable[[np.random.Generator], Interval]
"""Draws a test set of a population, and gives the interval that `compare` or `evaluate` would."""


@dataclass(frozen=True)
class Target:
    """What is asked of the simulations of one population."""

    what: str
    measure: Callable[[Sequence[Interval], Sequence[Verdict]], float]
    at_least: float | None = None
    at_most: float | None = None

    def met(self, figure: float) -> bool:
        """Whether the figure is within the bounds."""
        return (self.at_least is None or figure >= self.at_least) and (self.at_most is None or figure <= self.at_most)


@dataclass(frozen=True)
class Question:
    """What is asked of one population."""

    what: str
    draw: Draw
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Outcome:
    """The intervals that the simulations of a population gave."""

    question: Question
    intervals: tuple[Interval, ...]

    def figures(self, gate: Gate) -> list[tuple[Target, float]]:
        """Each target with what the gate reaches, in percent."""
        verdicts = [gate(interval, MAX_DROP) for interval in self.intervals]
        return [(target, 100 * target.measure(self.intervals, verdicts)) for target in self.question.targets]


def main() -> None:
    """Print all figures; exit with 1 where a target is missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--simulations", type=int, default=2000, help="of each population")
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    _show_setting(options)
    missed, outcomes = 0, []
    for number, question in enumerate(questions()):
        outcomes.append(simulate(question, options.simulations, options.seed + number))
        missed += show(outcomes[-1])
    for name, gate in DUMMIES.items():
        caught = count_missed(outcomes, gate)
        report(f"targets that a gate misses which {name}", caught, "targets", at_least=1)
        missed += caught == 0
    if missed:
        sys.exit(f"{missed} targets missed")


def questions() -> list[Question]:
    """All populations, and what is asked of each."""
    return [*questions_of_drops(), *questions_of_one_side()]


def questions_of_drops() -> list[Question]:
    """What is asked of `compare`."""
    at_the_limit = [
        Population(n, most_cases, runs, MAX_DROP, failing, 0.01 if runs > 1 else 0.0)
        for runs in (1, 3)
        for n in (20, 50, 200)
        for most_cases in (1, 5)
        for failing in (False, True)
    ]
    unchanged = [Population(n, runs=runs, seed_sd=0.01 if runs > 1 else 0.0) for runs in (1, 3) for n in (50, 200)]
    rare = [RareClass(shown, drop) for drop in (0.0, MAX_DROP) for shown in (1, 2, 3, 5)]
    sd = (0.0, 0.005, 0.01, 0.02)
    seeds = [Population(200, runs=runs, seed_sd=each, one_recipe=True) for runs in (1, 3) for each in sd]
    many = Population(1000, seed_sd=0.01, one_recipe=True)
    strong = [
        Population(n, runs=runs, drop=drop, seed_sd=0.01 if runs > 1 else 0.0)
        for runs in (1, 3)
        for n, drop in ((50, 0.1), (200, 0.06))
    ]
    return [
        *(of_drop(each, coverage(each.drop), FALSE_ALARMS, FALSE_PASSES) for each in at_the_limit),
        *(of_drop(each, coverage(0.0), FALSE_ALARMS) for each in unchanged),
        *(of_drop(each, coverage(each.drop), FALSE_ALARMS) for each in rare),
        *(of_drop(each, FALSE_ALARMS if each.runs > 1 else ALARMS) for each in [*seeds, many]),
        *(of_drop(each, POWER) for each in strong),
        *(of_drop(replace(each, drop=-each.drop), PASSES) for each in strong),
        *(of_drop(RareClass(shown, 0.1), ALARMS) for shown in (1, 2, 3, 5)),
    ]


def questions_of_one_side() -> list[Question]:
    """What is asked of `evaluate`."""
    failing = [Population(n, most_cases) for n in (3, 20, 50, 200) for most_cases in (1, 5)]
    sound = [Population(n, failures=0.0) for n in (2, 3, 5, 20)]
    return [
        *(of_dice(each, coverage(each.mean, None if each.groups < 50 else 93)) for each in failing),
        *(of_dice(each, coverage(each.mean)) for each in sound),
        *(of_dice(each, coverage(each.mean)) for each in map(RareClass, (2, 3, 5))),
        *(of_objects(each, coverage(each.mean)) for each in map(Objects, (20, 50, 100))),
        *(
            of_distances(each, coverage(each.mean, None if each.groups < 50 else 93))
            for each in map(Distances, (20, 50, 200))
        ),
        *(of_distances(each, coverage(each.mean, None)) for each in (Distances(50, 0.02), Distances(200, 0.02))),
    ]


def of_drop(population: Population | RareClass, *targets: Target) -> Question:
    """Of the difference of two sides."""

    def draw(draws: np.random.Generator) -> Interval:
        groups, dice = population.draw(draws)
        names = _names(groups)
        base, head = (tuple(mean_of_classes(run, Scale.SHARE).by_group(names) for run in side) for side in dice)
        pair = Pair(base, head)
        return pair.of_classes(pair.deciding).difference.losses(better=1).interval(CONFIDENCE)

    return Question(_comparison(population), draw, targets)


def of_dice(population: Population | RareClass, *targets: Target) -> Question:
    """Of base's first run."""

    def draw(draws: np.random.Generator) -> Interval:
        groups, dice = population.draw(draws)
        return interval(mean_of_classes(dice[0, 0], Scale.SHARE), _names(groups), CONFIDENCE)

    failures = "no" if isinstance(population, Population) and not population.failures else "7 %"
    return Question(f"Dice, {_cases(population)}, {failures} failures", draw, targets)


def of_objects(population: Objects, *targets: Target) -> Question:
    """Of pooled Dice."""

    def draw(draws: np.random.Generator) -> Interval:
        return interval(ratio_of_sums(*population.draw(draws)), _names(np.arange(population.groups)), CONFIDENCE)

    return Question(f"pooled Dice, {population.groups} groups, sizes of log sd {population.size_sd:g}", draw, targets)


def of_distances(population: Distances, *targets: Target) -> Question:
    """Of the mean distance."""

    def draw(draws: np.random.Generator) -> Interval:
        figure = mean_of_classes(population.draw(draws), Scale.AMOUNT)
        return interval(figure, _names(np.arange(population.groups)), CONFIDENCE)

    return Question(f"distance, {population.groups} groups, {100 * population.misses:g} % missed", draw, targets)


def simulate(question: Question, simulations: int, seed: int) -> Outcome:
    """Draw test sets of the population and take the interval of each."""
    draws = np.random.default_rng(seed)
    return Outcome(question, tuple(question.draw(draws) for _ in range(simulations)))


def show(outcome: Outcome) -> int:
    """Print the figures of a population, and give how many targets it misses."""
    figures = outcome.figures(judge)
    for target, figure in figures:
        what = f"{outcome.question.what}: {target.what}"
        report(what, figure, "%", at_least=target.at_least, at_most=target.at_most)
    return sum(not target.met(figure) for target, figure in figures)


def count_missed(outcomes: Sequence[Outcome], gate: Gate) -> int:
    """How many targets another gate misses on the same intervals."""
    return sum(not target.met(figure) for outcome in outcomes for target, figure in outcome.figures(gate))


def coverage(truth: float, at_least: float | None = 93) -> Target:
    """How many intervals hold the truth, of those that have bounds."""

    def share(intervals: Sequence[Interval], _: Sequence[Verdict]) -> float:
        stated = [(found.low, found.high) for found in intervals if found.low is not None and found.high is not None]
        return float(np.mean([low <= truth <= high for low, high in stated]))

    return Target("interval holds it", share, at_least=at_least)


def _show_setting(options: argparse.Namespace) -> None:
    print(
        f"{options.simulations} simulations of each population, seed {options.seed}; "
        f"max_drop {MAX_DROP:g}, confidence {CONFIDENCE:g}",
        flush=True,
    )
    for what, one_recipe in (("of two recipes", False), ("of one recipe", True)):
        population = Population(50_000, one_recipe=one_recipe)
        _, dice = population.draw(np.random.default_rng(options.seed))
        report(f"sd of the difference of a case between two models {what}", float(np.std(dice[0] - dice[1])), "Dice")


def _cases(population: Population | RareClass) -> str:
    cases = f"{population.groups} groups"
    if isinstance(population, RareClass):
        return f"{cases}, {population.shown} of them with the second class"
    return cases + (f" of 1 to {population.most_cases}" if population.most_cases > 1 else "")


def _comparison(population: Population | RareClass) -> str:
    cases = _cases(population)
    if isinstance(population, RareClass):
        return f"1 run a side, {cases}, true drop {population.drop:g}"
    side = f"{population.runs} run{'s' if population.runs > 1 else ''} a side"
    seeds = f", seed sd {population.seed_sd:g}" if population.seed_sd else ""
    if population.one_recipe:
        return f"{side}, {cases}{seeds}, one recipe"
    return f"{side}, {cases}{seeds}, true drop {population.drop:g}{' by failures' if population.failing else ''}"


def _names(groups: np.ndarray) -> list[str]:
    return [f"{group:06d}" for group in groups]


def _share_of(verdict: Verdict) -> Callable[[Sequence[Interval], Sequence[Verdict]], float]:
    return lambda _, verdicts: float(np.mean([found is verdict for found in verdicts]))


FALSE_ALARMS = Target("fails", _share_of(Verdict.FAIL), at_most=5)
ALARMS = Target("fails", _share_of(Verdict.FAIL))
FALSE_PASSES = Target("passes", _share_of(Verdict.PASS), at_most=5)
POWER = Target("fails", _share_of(Verdict.FAIL), at_least=80)
PASSES = Target("passes", _share_of(Verdict.PASS), at_least=80)
DUMMIES: dict[str, Gate] = {
    "never fails": lambda drop, max_drop: (
        Verdict.WARN if judge(drop, max_drop) is Verdict.FAIL else judge(drop, max_drop)
    ),
    "always fails": lambda *_: Verdict.FAIL,
}


if __name__ == "__main__":
    main()
