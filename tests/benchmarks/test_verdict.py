"""A small simulation of what `benchmarks.verdict` measures at length."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks.populations import Distances, Objects, Population, RareClass
from benchmarks.verdict import (
    CONFIDENCE,
    DUMMIES,
    FALSE_ALARMS,
    FALSE_PASSES,
    MAX_DROP,
    POWER,
    count_missed,
    coverage,
    of_dice,
    of_distances,
    of_drop,
    of_objects,
    simulate,
)
from seglib.case_table import CaseTable
from seglib.compare.comparison import Rule, Side, compare, judge
from seglib.measures import COLUMNS
from tests.project import REPOSITORY


@pytest.mark.parametrize("failing", [False, True])
def test_the_true_drop_is_the_stated_one(failing):
    population = Population(100_000, 3, 1, drop=0.05, failing=failing)
    _, (base, head) = population.draw(np.random.default_rng(0))
    assert base.mean() == pytest.approx(population.mean, abs=0.003)
    assert (base - head).mean() == pytest.approx(0.05, abs=0.003)
    assert np.mean(base < 0.3) == pytest.approx(0.07, abs=0.01)


def test_runs_part_by_their_seeds():
    population = Population(20_000, runs=8, seed_sd=0.05)
    _, dice = population.draw(np.random.default_rng(0))
    assert dice.mean((2, 3)).std(1, ddof=1) == pytest.approx([0.05, 0.05], rel=0.6)


def test_other_populations_have_the_stated_mean():
    draws = np.random.default_rng(0)
    rare = RareClass(50_000, drop=0.05, groups=100_000)
    _, (base, head) = rare.draw(draws)
    assert np.isnan(base[0, :, 1]).sum() == 50_000
    means = [np.nanmean(side[0], axis=0) for side in (base, head)]
    assert [each.mean() for each in means] == pytest.approx([rare.mean, rare.mean - 0.05], abs=0.003)
    part, whole = Objects(100_000).draw(draws)
    assert part.sum() / whole.sum() == pytest.approx(0.8, abs=0.005)
    assert Distances(100_000).draw(draws).mean() == pytest.approx(Distances(1).mean, rel=0.02)


@pytest.mark.parametrize(("runs", "seed_sd"), [(1, 0.0), (3, 0.01)])
def test_error_rates_are_the_stated_ones(runs, seed_sd):
    population = Population(50, runs=runs, drop=MAX_DROP, seed_sd=seed_sd)
    question = of_drop(population, coverage(MAX_DROP, 92), FALSE_ALARMS, FALSE_PASSES)
    assert count_missed([simulate(question, 400, 0)], judge) == 0


@pytest.mark.parametrize("shown", [2, 5])
def test_a_rare_class_raises_no_false_alarm(shown):
    assert count_missed([simulate(of_drop(RareClass(shown), coverage(0.0, 92), FALSE_ALARMS), 400, 0)], judge) == 0


QUESTIONS = [
    of_dice(Population(100), coverage(Population(1).mean, 92)),
    of_dice(Population(3, failures=0.0), coverage(Population(1, failures=0.0).mean, 92)),
    of_dice(RareClass(2), coverage(RareClass(2).mean, 92)),
    of_objects(Objects(50), coverage(0.8, 92)),
    of_distances(Distances(100), coverage(Distances(1).mean, 92)),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.what)
def test_intervals_of_one_side_hold_it(question):
    assert count_missed([simulate(question, 400, 0)], judge) == 0


def test_gates_that_never_or_always_fail_miss_targets():
    """Power is asked for at a drop of 0.1, and at most 5 % of alarms at one that is accepted."""
    strong = simulate(of_drop(Population(50, drop=0.1), POWER), 60, 0)
    accepted = simulate(of_drop(Population(50, drop=MAX_DROP), FALSE_ALARMS), 60, 0)
    missed = {name: [count_missed([each], gate) for each in (strong, accepted)] for name, gate in DUMMIES.items()}
    assert [count_missed([each], judge) for each in (strong, accepted)] == [0, 0]
    assert missed == {"never fails": [1, 0], "always fails": [0, 1]}


@pytest.mark.parametrize("seed", range(3))
def test_the_simulation_judges_as_compare_does(seed):
    population = Population(20, 4, 1, drop=0.05)
    groups, dice = population.draw(np.random.default_rng(seed))
    names = tuple(f"{group:06d}" for group in groups)
    ids = tuple(f"case{i}" for i in range(len(groups)))
    base, head = (
        Side(name, (CaseTable(ids, names, ("polyp",), dict.fromkeys(COLUMNS, np.asarray(run[0]))),))
        for name, run in zip(("base", "head"), dice, strict=True)
    )
    rule = Rule(metric="dice", max_drop=MAX_DROP, confidence=CONFIDENCE)
    assert compare(base, head, rule, 200, 0).drop == of_drop(population).draw(np.random.default_rng(seed))


@pytest.mark.slow
def test_all_targets_are_met():
    command = [sys.executable, "-m", "benchmarks.verdict"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MISSED" not in done.stdout
