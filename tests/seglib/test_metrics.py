import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics.meandice import compute_dice

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
