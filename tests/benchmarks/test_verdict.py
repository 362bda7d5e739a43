"""A small simulation of what `benchmarks.verdict` measures at length."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks.populations import Population
from benchmarks.verdict import (
    CONFIDENCE,
    DUMMIES,
    FALSE_ALARMS,
    FALSE_PASSES,
    MAX_DROP,
    POWER,
    Question,
    count_missed,
    coverage,
    interval_of_drop,
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
    assert dice.mean(2).std(1, ddof=1) == pytest.approx([0.05, 0.05], rel=0.6)


@pytest.mark.parametrize(("runs", "seed_sd"), [(1, 0.0), (3, 0.01)])
def test_error_rates_are_the_stated_ones(runs, seed_sd):
    population = Population(50, runs=runs, drop=MAX_DROP, seed_sd=seed_sd)
    question = Question(population, (coverage(MAX_DROP, 92), FALSE_ALARMS, FALSE_PASSES))
    assert count_missed([simulate(question, 400, 300, 0)], judge) == 0


def test_intervals_of_dice_hold_it():
    population = Population(100)
    question = Question(population, (coverage(population.mean, 91),), of_drop=False)
    assert count_missed([simulate(question, 300, 300, 0)], judge) == 0


def test_gates_that_never_or_always_fail_miss_targets():
    """Power is asked for at a drop of 0.1, and at most 5 % of alarms at one that is accepted."""
    strong = simulate(Question(Population(50, drop=0.1), (POWER,)), 60, 300, 0)
    accepted = simulate(Question(Population(50, drop=MAX_DROP), (FALSE_ALARMS,)), 60, 300, 0)
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
        Side(name, (CaseTable(ids, names, ("polyp",), {column: run[0].reshape(-1, 1) for column in COLUMNS}),))
        for name, run in zip(("base", "head"), dice, strict=True)
    )
    rule = Rule(metric="dice", max_drop=MAX_DROP, confidence=CONFIDENCE)
    assert compare(base, head, rule, 200, 0).drop == interval_of_drop(population, np.random.default_rng(seed), 200)


@pytest.mark.slow
def test_all_targets_are_met():
    command = [sys.executable, "-m", "benchmarks.verdict"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MISSED" not in done.stdout
