import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seglib.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame, Scale, log_ticks, tick_text, ticks

NUMBERS = st.floats(-1e6, 1e6)


@given(NUMBERS, NUMBERS)
def test_ticks_are_round_few_and_cover_the_range(low, high):
    assume(high - low > 1e-6)
    found = ticks(low, high)
    step = found[1] - found[0]
    assert found[0] <= low + 1e-6 * step
    assert found[-1] >= high - 1e-6 * step
    assert 3 <= len(found) <= 9
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - round_step) for round_step in (1, 2, 5)) < 1e-3


def test_ticks_by_hand():
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert ticks(0, 17) == [0, 5, 10, 15, 20]
    assert ticks(0.1, 0.9) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_log_ticks_by_hand():
    assert log_ticks(1, 1e4) == [1, 10, 100, 1000, 10_000]
    assert log_ticks(1, 100) == [1, 10, 100]
    assert log_ticks(10, 100) == [10, 20, 50, 100]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.2, "0.2"), (0.30000000000000004, "0.3"), (100_000, "100,000"), (-5, "−5"), (0.0002, "0.0002"),
     (2e-6, "2e-6"), (1.5e-7, "1.5e-7")],
)  # fmt: skip
def test_ticks_are_as_short_as_can_be(value, text):
    assert tick_text(value) == text


def test_a_scale_is_linear_or_logarithmic_and_keeps_to_its_ends():
    linear, log = Scale([0, 5, 10], 100, 200), Scale([1, 10, 100, 10_000], 0, 400, log=True)
    assert [linear(x) for x in (-5, 0, 2.5, 10, 99)] == [100, 100, 125, 200, 200]
    assert [log(x) for x in (1, 100, 10_000)] == [0, 200, 400]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20), st.booleans())
def test_every_point_lies_inside_the_frame(points, log):
    if log:
        points = [(abs(x) + 1e-3, y) for x, y in points]
    (low, high), (bottom, top) = ((min(values), max(values)) for values in zip(*points, strict=True))
    assume(high == low or high - low > 1e-6 * max(abs(high), abs(low), 1))
    assume(top == bottom or top - bottom > 1e-6 * max(abs(top), abs(bottom), 1))
    frame = Frame.over((low, high), (bottom, top), ("x", "y"), log_x=log)
    for x, y in points:
        dot = frame.dot(x, y, "")
        assert LEFT <= dot.x <= WIDTH - RIGHT
        assert 0 <= dot.y <= HEIGHT


@given(NUMBERS, NUMBERS)
def test_ticks_stand_where_their_values_do(low, high):
    assume(high - low > 1e-6)
    places = [tick.at for tick in Frame.over((0, 1), (low, high), ("x", "y")).y.ticks]
    steps = [before - after for before, after in pairwise(places)]
    assert max(steps) - min(steps) <= 0.2 + 1e-9
    assert (places[0], places[-1]) == (HEIGHT - BOTTOM, TOP)


def test_a_line_is_a_path_through_its_points():
    frame = Frame.over((0, 10), (0, 1), ("x", "y"))
    start, end = f"{LEFT:g} {frame.y.start:g}", f"{WIDTH - RIGHT:g} {frame.y.end:g}"
    assert frame.line([(0, 0), (10, 1)]) == f"M{start}L{end}"
    assert frame.line([]) == ""
