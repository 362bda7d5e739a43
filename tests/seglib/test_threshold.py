"""The threshold with the best mean Dice, against figures by hand and by trying every threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.errors import SegError
from seglib.head import Head
from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE
from seglib.mask_values import mask_of
from seglib.threshold import GRID, ThresholdSearch

TWO = Head(2, sigmoid=False, overlapping=False)
ONE_PLANE = Head(2, sigmoid=True, overlapping=False)
EXCLUSIVE = Head(3, sigmoid=True, overlapping=False)
OVERLAPPING = Head(3, sigmoid=True, overlapping=True)


def search(head, *cases):
    found = ThresholdSearch(head)
    for probabilities, truth in cases:
        found.add(np.array(probabilities, np.float32), np.array(truth, np.uint8))
    return found


def of_one_plane(*cases):
    return search(ONE_PLANE, *(([values], truth) for values, truth in cases))


def test_one_case_by_hand():
    """Below 0.1 all four are found (Dice 2·2/6), from 0.1 three (4/5), from 0.3 two (4/4), from 0.6 one (2/3)."""
    found = of_one_plane(([0.1, 0.3, 0.6, 0.8], [0, 0, 1, 1]))
    expected = [2 / 3] + [0.8] * 4 + [1] * 6 + [2 / 3] * 4 + [0] * 4
    np.testing.assert_allclose(found.scores(), expected)
    assert found.best() == 0.5


def test_the_mean_over_cases_decides_and_a_case_without_the_class_has_no_value_where_none_is_found():
    """Case 1 wants at least 0.2, and less than 0.4; case 2 is empty: 0 up to 0.3, then without a value."""
    found = of_one_plane(([0.2, 0.4], [0, 1]), ([0.3, 0.1], [0, 0]))
    scores = dict(zip(GRID.tolist(), found.scores().tolist(), strict=True))
    assert scores[0.05] == pytest.approx((2 / 3 + 0) / 2)
    assert scores[0.25] == pytest.approx((1 + 0) / 2)
    assert scores[0.35] == pytest.approx(1)
    assert scores[0.4] == 0
    assert found.best() == 0.35


def test_of_equal_thresholds_the_nearest_to_one_half_is_taken():
    assert of_one_plane(([0.02, 0.98], [0, 1])).best() == 0.5
    assert of_one_plane(([0.7, 0.95], [0, 1])).best() == 0.7
    assert of_one_plane(([0.1, 0.3], [0, 1])).best() == 0.25


def test_of_two_that_are_equally_near_the_lower_is_taken():
    """Sums of three cases: 1 + 1/2 + 1/2 at 0.45, 0 + 1/2 + 1/2 at 0.5, 0 + 1 + 1 at 0.55, less elsewhere."""
    found = of_one_plane(([0.48, 0.42], [1, 0]), ([0.58, 0.52, 0.52], [1, 0, 0]), ([0.99, 0.52, 0.52], [1, 0, 0]))
    assert found.scores()[[8, 9, 10]].tolist() == [2 / 3, 1 / 3, 2 / 3]
    assert found.best() == 0.45


def test_ignored_pixels_do_not_count():
    assert of_one_plane(([0.9, 0.3, 0.2], [IGNORE, 1, 0])).scores().tolist() == [2 / 3] * 3 + [1] * 2 + [0] * 14


def test_the_mean_over_classes_is_of_the_means_over_cases():
    """Class 1 is right in one of two cases, class 2, seen once, is right: (1/2 + 1) / 2."""
    cases = [([[0.9], [0.0]], [1]), ([[0.0], [0.0]], [1]), ([[0.0], [0.9]], [2])]
    assert search(OVERLAPPING, *cases).scores()[9] == pytest.approx(0.75)


def test_without_foreground_there_is_no_best_one():
    for nothing in (of_one_plane(), of_one_plane(([0.01, 0.02], [0, 0])), of_one_plane(([0.9], [IGNORE]))):
        with pytest.raises(SegError, match=r"predict\.threshold: auto needs validation masks"):
            nothing.best()


@st.composite
def cases(draw):
    """A head and a few cases, with probabilities that often lie on the grid."""
    head = draw(st.sampled_from([TWO, ONE_PLANE, EXCLUSIVE, OVERLAPPING]))
    pixels = draw(st.integers(1, 12))
    values = st.sampled_from([*GRID.tolist(), 0.0, 1.0]) | st.floats(0, 1)
    largest = 3 if head.overlapping else head.classes - 1
    truths = st.lists(st.sampled_from([*range(largest + 1), IGNORE]), min_size=pixels, max_size=pixels)
    planes = st.lists(
        st.lists(values, min_size=pixels, max_size=pixels), min_size=head.classes - 1, max_size=head.classes - 1
    )
    found = []
    for _ in range(draw(st.integers(1, 4))):
        probabilities = np.array(draw(planes), np.float32)
        if head == TWO:
            probabilities = np.concatenate([1 - probabilities, probabilities])
        found.append((probabilities, np.array(draw(truths), np.uint8)))
    return head, found


def dice_of(mask, truth, head):
    """Dice of each foreground class, pixel by pixel."""
    counted = truth != IGNORE
    pairs = zip(
        list(class_planes(truth, head.classes, overlapping=head.overlapping))[1:],
        list(class_planes(mask, head.classes, overlapping=head.overlapping))[1:],
        strict=True,
    )
    figures = []
    for inside, guessed in pairs:
        total = inside.sum() + (guessed & counted).sum()
        figures.append(2 * (inside & guessed).sum() / total if total else np.nan)
    return figures


def nanmean(values):
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / len(known) if known else np.nan


@given(cases())
def test_scores_are_those_of_the_masks_at_each_threshold(drawn):
    head, found = drawn
    expected = []
    for threshold in GRID.tolist():
        rows = [dice_of(mask_of(probabilities, head, threshold), truth, head) for probabilities, truth in found]
        expected.append(nanmean([nanmean(column) for column in zip(*rows, strict=True)]))
    asked = search(head, *found)
    np.testing.assert_allclose(asked.scores(), expected, rtol=1e-12)
    if not np.isnan(expected).all():
        best = asked.best()
        assert asked.scores()[GRID.tolist().index(best)] == np.nanmax(asked.scores())
