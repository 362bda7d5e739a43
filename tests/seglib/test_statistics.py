import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from seglib import statistics
from seglib.statistics import Interval, Ratio, Resampling, mean_of_classes, ratio_of_sums

NAN = math.nan
ONE_EACH = np.ones((1, 3))


def names(count):
    return [f"case{i:04d}" for i in range(count)]


def width(found):
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def column(*values):
    return np.array(values, np.float64)[:, None]


def test_a_mean_of_classes_by_hand():
    """Class means 0.4 over two cases and 0.9 over one."""
    figure = mean_of_classes(np.array([[0.2, 0.9], [0.6, NAN], [NAN, NAN]]))
    assert figure(ONE_EACH) == pytest.approx([0.65])
    assert figure(np.array([[3.0, 1.0, 9.0]])) == pytest.approx([((3 * 0.2 + 0.6) / 4 + 0.9) / 2])


def test_a_ratio_of_sums_by_hand():
    """5 of 10 and 3 of 4; the third class has no whole and does not count."""
    part, whole = np.array([[1, 3, 0], [4, 0, 0]]), np.array([[2, 4, 0], [8, 0, 0]])
    assert ratio_of_sums(part, whole)(np.ones((1, 2))) == pytest.approx([0.625])


def test_a_class_that_is_not_drawn_keeps_its_ratio_of_all_cases():
    figure = mean_of_classes(np.array([[0.2, 0.9], [0.6, NAN]]))
    assert figure(np.array([[0.0, 1.0]])) == pytest.approx([(0.6 + 0.9) / 2])


def test_cases_without_any_value_give_none():
    figure = mean_of_classes(np.array([[0.5], [NAN], [NAN]]))
    assert np.isnan(figure(np.array([[0.0, 2.0, 1.0]]))).all()
    assert np.isnan(mean_of_classes(np.full((3, 2), NAN))(ONE_EACH)).all()
    assert np.isnan(ratio_of_sums(np.zeros((3, 1)), np.zeros((3, 1)))(ONE_EACH)).all()


def test_each_case_for_itself():
    figure = mean_of_classes(np.array([[0.2, 0.8], [0.6, NAN], [NAN, NAN]]))
    assert figure.of_cases() == pytest.approx([0.5, 0.6, NAN], nan_ok=True)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.integers(0, 9)), min_size=1, max_size=12))
def test_rows_of_groups_give_the_same_figure(cases):
    groups = [group for group, _, _ in cases]
    whole = column(*(size for *_, size in cases))
    figure = Ratio(column(*(share for _, share, _ in cases)) * whole, whole)
    by_group = figure.by_group(groups)
    weights = np.random.default_rng(0).random((4, len(by_group.part)))
    _, index = np.unique(groups, return_inverse=True)
    assert by_group(weights) == pytest.approx(figure(weights[:, index]), nan_ok=True)


@pytest.mark.parametrize("skewed", [False, True])
def test_the_interval_is_scipys_bca_interval_at_the_level_of_students_t(skewed):
    draw = np.random.default_rng(0)
    values = draw.exponential(1, 60) if skewed else draw.normal(0.5, 0.1, 60)
    found = Resampling(names(60), 20000, 1, 0.95).interval(mean_of_classes(values[:, None]))
    level = 1 - 2 * float(scipy.stats.norm.cdf(-math.sqrt(60 / 59) * scipy.stats.t.ppf(0.975, 59)))
    expected = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=20000, confidence_level=level, method="BCa", rng=2
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.05 * values.std() / 60**0.5)


def test_all_cases_of_a_group_come_along():
    seen = []

    def watch(weights):
        seen.append(weights)
        return weights.sum(1)

    Resampling(["b", "a", "b", "c"], 50, 0, 0.9).interval(watch)
    drawn = seen[-1]
    assert drawn.shape == (50, 4)
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, [0, 1, 3]].sum(1) == 3).all()
    assert len(np.unique(drawn, axis=0)) > 5


@given(st.permutations(range(8)))
@settings(max_examples=20)
def test_the_order_of_the_cases_is_immaterial(order):
    values, groups = np.linspace(0, 1, 8)[:, None] ** 2, list("aabbccdd")
    first = Resampling(groups, 100, 0, 0.95).interval(mean_of_classes(values))
    other = Resampling([groups[i] for i in order], 100, 0, 0.95).interval(mean_of_classes(values[list(order)]))
    assert (other.value, other.low, other.high) == pytest.approx((first.value, first.low, first.high))


def test_chunks_bound_the_memory_and_change_nothing(monkeypatch):
    figure = mean_of_classes(np.random.default_rng(0).random((30, 2)))
    whole = Resampling(names(30), 200, 3, 0.95).interval(figure)
    monkeypatch.setattr(statistics, "WEIGHTS", 100)
    shapes = []

    def watch(weights):
        shapes.append(weights.size)
        return figure(weights)

    assert Resampling(names(30), 200, 3, 0.95).interval(watch) == whole
    assert max(shapes) <= 100


def test_a_seed_makes_the_interval():
    figure = mean_of_classes(np.random.default_rng(0).random((30, 1)))
    assert Resampling(names(30), 100, 3, 0.95).interval(figure) == Resampling(names(30), 100, 3, 0.95).interval(figure)
    assert Resampling(names(30), 100, 3, 0.95).interval(figure) != Resampling(names(30), 100, 4, 0.95).interval(figure)


def test_more_confidence_and_fewer_groups_widen_the_interval():
    values = np.random.default_rng(0).random((40, 1))

    def found(groups, confidence):
        return width(Resampling(groups, 500, 0, confidence).interval(mean_of_classes(values)))

    alone = names(40)
    assert found(alone, 0.8) < found(alone, 0.95) < found([str(i // 8) for i in range(40)], 0.95)


@pytest.mark.parametrize("groups", [["a"] * 3, ["a", "b", "b"]])
def test_fewer_than_two_groups_with_a_value_have_no_interval(groups):
    figure = mean_of_classes(column(NAN, 0.25, 0.75))
    assert Resampling(groups, 100, 0, 0.95).interval(figure) == Interval(0.5, None, None)


def test_no_value_at_all():
    found = Resampling(names(3), 100, 0, 0.95).interval(mean_of_classes(np.full((3, 1), NAN)))
    assert math.isnan(found.value)
    assert (found.low, found.high) == (None, None)


def test_resamples_without_a_value_do_not_count():
    """A third of all resamples lacks both cases with a value; the others lie between the two."""
    figure = mean_of_classes(column(0.25, 0.75, *[NAN] * 4))
    found = Resampling(names(6), 500, 0, 0.95).interval(figure)
    assert (found.value, found.low, found.high) == (0.5, 0.25, 0.75)


def test_groups_without_a_value_do_not_narrow_the_interval():
    """20 groups with a value among 380 without: as wide as 20 groups, not as 400."""
    values = np.linspace(0, 1, 20)
    alone = Resampling(names(20), 4000, 0, 0.95).interval(mean_of_classes(values[:, None]))
    among = Resampling(names(400), 4000, 0, 0.95).interval(mean_of_classes(column(*values, *[NAN] * 380)))
    assert width(among) == pytest.approx(width(alone), rel=0.15)


def test_many_groups_are_counted_in_blocks():
    values = np.random.default_rng(0).random((1000, 1))
    found = Resampling(names(1000), 1000, 0, 0.95).interval(mean_of_classes(values))
    assert width(found) == pytest.approx(2 * 1.96 * values.std() / 1000**0.5, rel=0.1)


def test_a_figure_that_is_the_same_in_all_cases_has_no_width():
    found = Resampling(names(9), 100, 0, 0.95).interval(mean_of_classes(np.full((9, 2), 0.5)))
    assert found == Interval(0.5, 0.5, 0.5)
