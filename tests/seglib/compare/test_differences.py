import math

import numpy as np
import pytest
import scipy.stats

from seglib.compare.differences import Difference, Pair, Runs, p_value
from seglib.statistics import mean_of_classes


def pair(base, head):
    """A row a run, a column a group."""
    sides = [tuple(mean_of_classes(np.array(run, np.float64)[:, None]) for run in side) for side in (base, head)]
    return Pair(sides[0], sides[1])


def drop(of, better=1, confidence=0.95):
    return of.difference.losses(better).interval(confidence)


def runs(values, pulls):
    return Runs(np.array(values, np.float64), np.array(pulls, np.float64))


def test_exchanging_three_groups_by_hand():
    """Differences 1, 2, 3: of the 8 signs the sum reaches ±6 twice."""
    assert p_value(pair([[0, 0, 0]], [[1, 2, 3]]), 100, 0) == 0.25
    assert p_value(pair([[0, 0, 0]], [[1, 2, -3]]), 100, 0) == 1.0


def test_many_groups_are_exchanged_at_random_as_scipy_does():
    draw = np.random.default_rng(0)
    base = draw.random(40)
    head = base + draw.normal(0.03, 0.1, 40)
    expected = scipy.stats.permutation_test(
        (head, base), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=20000, rng=1
    ).pvalue
    assert p_value(pair([base], [head]), 20000, 0) == pytest.approx(expected, abs=0.012)


def test_a_random_p_value_is_never_0():
    """(0 + 1) / (999 + 1)."""
    assert p_value(pair([[0.1] * 50], [[0.9] * 50]), 999, 0) == 0.001


def test_dealing_runs_by_hand():
    """Of the 20 ways to deal 6 runs to two sides, two part them as far as they are."""
    base, head = [[0.1] * 4, [0.2] * 4, [0.3] * 4], [[0.5] * 4, [0.6] * 4, [0.7] * 4]
    assert p_value(pair(base, head), 1000, 0) == pytest.approx(0.1)
    assert p_value(pair(base, base), 1000, 0) == 1.0


def test_many_runs_are_dealt_at_random():
    """12 and 12 runs can be dealt in 2,704,156 ways; none of 500 parts them as far."""
    base, head = ([[0.1 * side + 0.001 * run] * 3 for run in range(12)] for side in (1, 2))
    assert p_value(pair(base, head), 500, 0) == pytest.approx(1 / 501)


@pytest.mark.parametrize(("better", "expected"), [(1, -0.2), (-1, 0.2), (0, -0.3)])
def test_the_drop_is_in_the_direction_of_the_figure(better, expected):
    """Means from 0.2 to 0.4; or from -0.3 to 0, of which 0.3 is gained where nearer to 0 is better."""
    base, head = ([[-0.45, -0.15]], [[-0.05, 0.05]]) if better == 0 else ([[0.1, 0.3]], [[0.3, 0.5]])
    assert drop(pair(base, head), better).value == pytest.approx(expected)


def test_one_run_a_side_is_students_paired_interval():
    """Gains of ±0.1 and 0.01 everywhere: no group carries the variance."""
    base = np.random.default_rng(0).random(30)
    head = base + np.tile([0.11, -0.09], 15)
    expected = scipy.stats.ttest_rel(base, head).confidence_interval(0.95)
    found = drop(pair([base], [head]))
    assert (found.value, found.low, found.high) == pytest.approx((-0.01, expected.low, expected.high))


def test_a_change_in_few_groups_has_few_degrees_of_freedom():
    """All of the variance is of one group of 30: Σ of the squared shares is about 1."""
    head = np.array([0.5] * 29 + [0.9])
    found = drop(pair([[0.5] * 30], [head]))
    pulls = (head - head.mean()) / np.sqrt(29 * 30)
    shares = pulls**2 / (pulls**2).sum()
    half = scipy.stats.t.ppf(0.975, 2 / ((shares**2).sum() - 1 / 30)) * np.sqrt((pulls**2).sum())
    assert (found.low, found.high) == pytest.approx((-0.4 / 30 - half, -0.4 / 30 + half))


def test_a_class_in_few_groups_has_few_degrees_of_freedom():
    """Of the second class, in 2 of 20 groups, the loss is 0.1 and 0.3: half of the mean, at t(1)."""
    base = np.full((20, 2), 0.8)
    base[2:, 1] = math.nan
    head = base - np.array([[0, 0.1], [0, 0.3], *[[0, 0]] * 18])
    found = drop(Pair((mean_of_classes(base),), (mean_of_classes(head),)))
    half = scipy.stats.t.ppf(0.975, 1) * 0.1 / 2
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1 - half, 0.1 + half))


def test_what_is_lost_in_every_group_leaves_nothing_to_chance():
    found = drop(pair([[0.2, 0.5, 0.9]], [[0.1, 0.4, 0.8]]))
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_several_runs_by_hand():
    """No spread of the groups, runs of variance 1 a side: ± t(4) · √(1/3 + 1/3) = 2.7764 · 0.81650."""
    still = np.zeros((3, 10))
    found = Difference(runs([1, 2, 3], still), runs([4, 5, 6], still), fewest=10).interval(0.95)
    assert (found.value, found.low, found.high) == pytest.approx((3, 3 - 2.26693, 3 + 2.26693), abs=1e-4)


def test_groups_and_runs_add_up_and_their_common_noise_counts_once():
    """Three runs a side, ten groups that move base's first run by ±0.6 and all the rest by nothing.

    Groups: the side's mean moves by ±0.2, so 10 · 0.04, at 9 degrees of freedom. Runs: variance 4, so 4/3 for head
    and for base. Noise of base: the own part of its runs moves by ±(0.4, 0.2, 0.2), so 10 · 0.24 / 2 / 3.
    """
    moved = np.array([[0.6, -0.6] * 5, [0] * 10, [0] * 10])
    sides = runs([2, 4, 6], moved), runs([8, 10, 12], np.zeros((3, 10)))
    found = Difference(*sides, fewest=10).interval(0.95)
    groups, side, noise = 0.4, 4 / 3, 0.4
    variance = groups + 2 * side - noise
    freedom = variance**2 / (groups**2 / 9 + 2 * side**2 / 2)
    half = scipy.stats.t.ppf(0.975, freedom) * math.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((6 - half, 6 + half))


def test_runs_that_agree_leave_the_spread_of_the_groups():
    base = np.random.default_rng(0).random(30)
    head = base + np.tile([0.11, -0.09], 15)
    found = drop(pair([base] * 3, [head] * 3))
    expected = scipy.stats.t.interval(0.95, 29, (base - head).mean(), scipy.stats.sem(base - head))
    assert (found.low, found.high) == pytest.approx(expected)


def test_the_same_runs_on_both_sides_still_spread():
    """Seeds that part by 0.1 leave room for a difference, though none is seen."""
    side = [[0.4] * 5, [0.5] * 5, [0.6] * 5]
    found = drop(pair(side, side))
    assert found.value == pytest.approx(0)
    assert found.high == pytest.approx(2.7764 * math.sqrt(2 * 0.01 / 3), abs=1e-4)
    assert found.low == pytest.approx(-2.7764 * math.sqrt(2 * 0.01 / 3), abs=1e-4)


def test_one_group_has_no_interval():
    found = drop(pair([[0.5, math.nan]], [[0.4, 0.3]]))
    assert (found.low, found.high) == (None, None)
