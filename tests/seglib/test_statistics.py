import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from seglib.statistics import Interval, Ratio, Scale, freedom, interval, mean_of_classes, ratio_of_sums, student

NAN = math.nan
ONE_EACH = np.ones((1, 3))


def names(count):
    return [f"case{i:04d}" for i in range(count)]


def bounds(found):
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def width(found):
    low, high = bounds(found)
    return high - low


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


CASES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(0, 1), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12
)


def pooled(cases):
    """Two classes of each case, of sizes that may be 0."""
    whole = np.array([sizes for *_, first, second in cases for sizes in [(first, second)]], np.float64)
    return ratio_of_sums(np.array([share for _, share, *_ in cases])[:, None] * whole, whole)


def test_the_jackknife_by_hand():
    """Leaving out 1, 2 or 6 of a mean of 3 gives 4, 3.5 or 1.5, their mean 3; pulls -1, -0.5, 1.5 times √(2/3)."""
    figure = mean_of_classes(column(1, 2, 6))
    assert figure.pulls == pytest.approx(np.array([-1, -0.5, 1.5]) * math.sqrt(2 / 3))
    assert (figure.pulls**2).sum() == pytest.approx(np.var([1, 2, 6], ddof=1) / 3)


def test_the_jackknife_of_pooled_sums_by_hand():
    """Without a group: 3/4, 2/6 and 3/6 of 4/8; their mean is 19/36."""
    figure = ratio_of_sums(column(1, 2, 1), column(4, 2, 2))
    assert figure.pulls == pytest.approx((19 / 36 - np.array([3 / 4, 2 / 6, 3 / 6])) * math.sqrt(2 / 3))


def test_each_class_is_scaled_by_its_own_groups():
    """The first class moves as of three groups, the second as of two, each half in the mean."""
    figure = mean_of_classes(np.array([[1, 5], [2, 9], [6, NAN]]))
    second = np.array([-2, 2, 0]) * math.sqrt(1 / 2)
    assert figure.pulls == pytest.approx((mean_of_classes(column(1, 2, 6)).pulls + second * 2 / 2) / 2)


@given(CASES)
def test_the_jackknife_leaves_each_group_out(cases):
    """Against the figure of each class, computed anew from the other groups."""
    figure = pooled(cases).by_group([group for group, *_ in cases])
    expected = np.zeros(len(figure.part))
    classes = [c for c in range(2) if figure.whole[:, c].any()]
    for c in classes:
        rows = np.flatnonzero(figure.whole[:, c])
        if len(rows) < 2:
            continue
        without = [figure.part[rows[rows != row], c].sum() / figure.whole[rows[rows != row], c].sum() for row in rows]
        expected[rows] += (np.mean(without) - np.array(without)) * math.sqrt(1 - 1 / len(rows)) / len(classes)
    assert figure.pulls == pytest.approx(expected, abs=1e-12)


def test_the_interval_of_a_mean_is_students():
    """Two values to each side, so that no group carries the variance."""
    values = np.tile([1.0, 2.0, -3.0], 20)
    expected = scipy.stats.t.interval(0.9, 59, values.mean(), scipy.stats.sem(values))
    found = interval(mean_of_classes(values[:, None]), names(60), 0.9)
    assert found.value == pytest.approx(values.mean())
    assert bounds(found) == pytest.approx(expected)


def test_the_interval_of_a_share_is_students_on_the_logit():
    values = np.tile([0.6, 0.9], 10)
    found = interval(mean_of_classes(values[:, None], Scale.SHARE), names(20), 0.95)
    half = scipy.stats.t.ppf(0.975, 19) * scipy.stats.sem(values) / (0.75 * 0.25)
    low, high = math.log(3) - half, math.log(3) + half
    assert bounds(found) == pytest.approx((1 / (1 + math.exp(-low)), 1 / (1 + math.exp(-high))))


def test_the_interval_of_a_distance_is_students_on_the_logarithm():
    found = interval(mean_of_classes(column(*[1, 3] * 10), Scale.AMOUNT), names(20), 0.95)
    factor = math.exp(scipy.stats.t.ppf(0.975, 19) * scipy.stats.sem([1, 3] * 10) / 2)
    assert bounds(found) == pytest.approx((2 / factor, 2 * factor))


def test_degrees_of_freedom_by_hand():
    """Equal squares: as many as there are. One group carries all: 2 / (1 - 1/10). Half and half: 2 / (1/2 - 1/10)."""
    assert freedom(np.array([1.0, -1] * 5), 10) == pytest.approx(9)
    assert freedom(np.array([3.0] + [0] * 9), 10) == pytest.approx(2 / 0.9)
    assert freedom(np.array([3.0, -3] + [0] * 8), 10) == pytest.approx(5)
    assert freedom(np.array([1.0, -1] * 5), 2) == pytest.approx(1)
    assert freedom(np.zeros(4), 4) == pytest.approx(3)


def test_a_rare_class_widens_the_interval_of_the_mean():
    """Of a class in 2 of 60 groups nobody knows more than of 2 groups."""
    values = np.random.default_rng(0).beta(8, 2, (60, 2))
    common = width(interval(mean_of_classes(values), names(60), 0.95))
    values[2:, 1] = NAN
    rare = width(interval(mean_of_classes(values), names(60), 0.95))
    assert rare > width(interval(mean_of_classes(values[:2, [1]]), names(2), 0.95)) / 2
    assert rare > 5 * common


def test_a_class_in_one_group_leaves_no_interval():
    """Nobody knows how far other groups would move it."""
    values = np.random.default_rng(0).random((60, 2))
    values[1:, 1] = NAN
    assert interval(mean_of_classes(values), names(60), 0.95).low is None
    assert interval(mean_of_classes(values[:, [0]]), names(60), 0.95).low is not None


@given(CASES, st.randoms())
def test_the_order_of_the_cases_is_immaterial(cases, random):
    other = random.sample(cases, len(cases))
    first, second = (interval(pooled(each), [group for group, *_ in each], 0.95) for each in (cases, other))
    assert second.value == pytest.approx(first.value, nan_ok=True)
    assert (second.low is None) == (first.low is None)
    if first.low is not None:
        assert bounds(second) == pytest.approx(bounds(first), abs=1e-6)


@given(CASES, st.floats(0.5, 0.999))
def test_bounds_of_a_share_hold_it_and_stay_between_0_and_1(cases, confidence):
    found = interval(pooled(cases), [group for group, *_ in cases], confidence)
    if found.low is not None:
        low, high = bounds(found)
        assert 0 <= low <= found.value + 1e-9
        assert found.value - 1e-9 <= high <= 1 + 1e-9


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=9), st.floats(0.5, 0.999))
def test_bounds_of_a_distance_are_finite_and_not_negative(values, confidence):
    found = interval(mean_of_classes(column(*values), Scale.AMOUNT), names(len(values)), confidence)
    assert (found.low is None) == (found.high is None)
    assert found.low is None or found.high is None or found.value / 21 < found.low <= found.high < 21 * found.value


@given(CASES)
def test_cases_without_a_value_change_nothing(cases):
    figure, groups = pooled(cases), [group for group, *_ in cases]
    part, whole = (np.concatenate([each, np.zeros((5, 2))]) for each in (figure.part, figure.whole))
    more = Ratio(part, whole, figure.scale)
    first, second = interval(figure, groups, 0.95), interval(more, [*groups, *"vwxyz"], 0.95)
    assert second.value == pytest.approx(first.value, nan_ok=True)
    assert [second.low, second.high] == pytest.approx([first.low, first.high])


def test_more_confidence_and_fewer_groups_widen_the_interval():
    figure = mean_of_classes(np.random.default_rng(0).random((40, 1)), Scale.SHARE)
    alone, together = names(40), [str(i // 8) for i in range(40)]
    assert width(interval(figure, alone, 0.8)) < width(interval(figure, alone, 0.95))
    assert width(interval(figure, alone, 0.95)) < width(interval(figure, together, 0.95))


@pytest.mark.parametrize("groups", [["a"] * 3, ["a", "b", "b"]])
def test_fewer_than_two_groups_with_a_value_have_no_interval(groups):
    assert interval(mean_of_classes(column(NAN, 0.25, 0.75)), groups, 0.95) == Interval(0.5, None, None)


def test_no_value_at_all():
    found = interval(mean_of_classes(np.full((3, 1), NAN)), names(3), 0.95)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (None, None)


def test_a_figure_that_is_the_same_in_all_cases_has_no_width():
    found = interval(mean_of_classes(np.full((9, 2), 0.5), Scale.SHARE), names(9), 0.95)
    assert (found.value, *bounds(found)) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nobody_knows_how_far_from_its_end_a_share_may_lie(value):
    found = interval(mean_of_classes(np.full((9, 2), value), Scale.SHARE), names(9), 0.95)
    assert (found.value, found.low, found.high) == (value, None, None)


def test_a_distance_whose_bounds_would_span_orders_of_size_has_none():
    assert student(5.0, 25.0, 1.0, 0.99999, Scale.AMOUNT).high is None
    assert student(5.0, 0.01, 9.0, 0.95, Scale.AMOUNT).high is not None
