import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.planes import merge_planes
from seglib.io.sample import IGNORE
from seglib.metrics import count
from seglib.overlap import case_dice

shapes = st.sampled_from([(3, 5, 6), (2, 3, 4, 5)])


@given(st.integers(0, 2**32 - 1), shapes)
def test_validation_dice_is_the_dice_of_the_metrics(seed, shape):
    random = np.random.default_rng(seed)
    truth = random.choice([0, 1, 2, IGNORE], shape).astype(np.uint8)
    guess = random.integers(0, 3, shape)
    logits = torch.nn.functional.one_hot(torch.from_numpy(guess), 3).movedim(-1, 1).float()
    expected = [count(t, g, 3).dice[1:] for t, g in zip(truth, guess.astype(np.uint8), strict=True)]
    np.testing.assert_allclose(case_dice(logits, torch.from_numpy(truth)), expected, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), shapes)
def test_validation_dice_of_overlapping_classes_is_the_dice_of_the_metrics(seed, shape):
    random = np.random.default_rng(seed)
    truth = random.choice([0, 1, 2, 3, IGNORE], shape).astype(np.uint8)
    logits = random.normal(size=(shape[0], 2, *shape[1:])).astype(np.float32)
    guesses = [merge_planes(case > 0) for case in logits]
    expected = [count(t, g, 3, overlapping=True).dice[1:] for t, g in zip(truth, guesses, strict=True)]
    found = case_dice(torch.from_numpy(logits), torch.from_numpy(truth), overlapping=True)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("overlapping", [False, True])
def test_a_class_that_neither_shows_has_no_dice(overlapping):
    logits = torch.full((1, 3 - overlapping, 4, 4), -5.0)
    logits[:, 0] = 5
    mask = torch.full((1, 4, 4), int(overlapping), dtype=torch.uint8)
    found = case_dice(logits, mask, overlapping=overlapping)
    assert found.shape == (1, 2)
    assert found.isnan().tolist() == ([[False, True]] if overlapping else [[True, True]])
