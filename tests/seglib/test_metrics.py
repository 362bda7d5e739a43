import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics.meandice import compute_dice

from seglib.io.planes import class_planes, merge_planes
from seglib.io.sample import IGNORE
from seglib.metrics import count, summarise

CLASSES = ["background", "one", "two"]


def maps(truth, guess):
    return count(np.array(truth, np.uint8), np.array(guess, np.uint8), len(CLASSES))


def test_dice_and_iou_by_hand():
    case = maps([[1, 1, 0, 0]], [[1, 0, 1, 0]])
    assert case.dice[1] == pytest.approx(2 * 1 / (2 + 2))
    assert case.iou[1] == pytest.approx(1 / 3)


def test_class_absent_from_both_has_no_value_and_no_part_in_the_mean():
    metrics = summarise([maps([[1, 1]], [[1, 1]]), maps([[1, 2]], [[1, 2]])], CLASSES)
    assert metrics["dice_two"] == 1
    assert metrics["n_empty_two"] == 1
    assert metrics["n_missed_two"] == 0


def test_missed_class_counts_as_zero():
    metrics = summarise([maps([[1, 2]], [[1, 0]])], CLASSES)
    assert metrics["dice_two"] == 0
    assert metrics["n_missed_two"] == 1


def test_class_found_where_there_is_none_counts_as_zero():
    metrics = summarise([maps([[1, 0]], [[1, 2]])], CLASSES)
    assert metrics["dice_two"] == 0
    assert metrics["n_missed_two"] == 0
    assert metrics["n_empty_two"] == 0


def test_figure_that_no_case_defines_is_left_out():
    metrics = summarise([maps([[1, 0]], [[1, 0]])], CLASSES)
    assert "dice_two" not in metrics
    assert metrics["dice"] == 1


def test_ignored_pixels_do_not_count():
    assert maps([[1, IGNORE, IGNORE]], [[1, 1, 2]]).dice[1] == 1


def test_pooled_divides_sums_and_mean_averages_cases():
    cases = [maps([[1] * 8], [[1] * 8]), maps([[1, 0]], [[0, 1]])]
    metrics = summarise(cases, CLASSES)
    assert metrics["dice_one"] == pytest.approx(0.5)
    assert metrics["dice_pooled"] == pytest.approx(2 * 8 / 18, abs=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_case_dice_agrees_with_monai(seed):
    random = np.random.default_rng(seed)
    truth, guess = random.integers(0, 3, (2, 6, 7), dtype=np.uint8)
    one_hot = [torch.stack([torch.from_numpy(m == c) for c in range(3)])[None].float() for m in (guess, truth)]
    theirs = compute_dice(one_hot[0], one_hot[1], ignore_empty=False)[0].numpy()
    ours = count(truth, guess, 3).dice
    defined = ~np.isnan(ours)
    np.testing.assert_allclose(ours[defined], theirs[defined], rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_metrics_are_flat_and_finite(seed, cases):
    random = np.random.default_rng(seed)
    pairs = [maps(*random.integers(0, random.integers(1, 4), (2, 3, 3))) for _ in range(cases)]
    assert all(isinstance(value, (int, float)) and np.isfinite(value) for value in summarise(pairs, CLASSES).values())


def test_overlapping_classes_by_hand():
    truth, guess = np.array([[1, 3, 2, 0, IGNORE]], np.uint8), np.array([[3, 1, 2, 0, 3]], np.uint8)
    case = count(truth, guess, 3, overlapping=True)
    assert case.both.tolist() == [1, 2, 1]
    assert case.truth.tolist() == [1, 2, 2]
    assert case.guess.tolist() == [1, 2, 2]
    assert case.dice.tolist() == [1, 1, 0.5]


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.sampled_from([(5, 6), (2, 3, 4)]))
def test_each_overlapping_class_counts_as_a_map_of_its_own(seed, foreground, shape):
    random = np.random.default_rng(seed)
    truth, guess = random.integers(0, 2**foreground, (2, *shape)).astype(np.uint8)
    truth[random.random(shape) < 0.2] = IGNORE
    found = count(truth, guess, foreground + 1, overlapping=True)
    takes = [list(class_planes(mask, foreground + 1, overlapping=True)) for mask in (truth, guess)]
    for c, (one, other) in enumerate(zip(*takes, strict=True)):
        alone = count(np.where(truth == IGNORE, IGNORE, one).astype(np.uint8), other.astype(np.uint8), 2)
        assert (found.both[c], found.truth[c], found.guess[c]) == (alone.both[1], alone.truth[1], alone.guess[1])


@given(st.integers(0, 2**32 - 1))
def test_classes_that_do_not_overlap_count_alike_either_way(seed):
    truth, guess = np.random.default_rng(seed).integers(0, 3, (2, 6, 7))
    exclusive = maps(truth, guess)
    merged = [merge_planes(np.stack([mask == 1, mask == 2])) for mask in (truth, guess)]
    overlapping = count(merged[0], merged[1], 3, overlapping=True)
    np.testing.assert_array_equal(exclusive.dice, overlapping.dice)
    np.testing.assert_array_equal(exclusive.iou, overlapping.iou)


@pytest.mark.parametrize("overlapping", [False, True])
def test_a_case_of_which_no_pixel_counts_has_no_value(overlapping):
    case = count(np.full((3, 3), IGNORE, np.uint8), np.ones((3, 3), np.uint8), 3, overlapping=overlapping)
    assert np.isnan(case.dice).all()
    assert np.isnan(case.iou).all()
