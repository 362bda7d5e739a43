import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.head import Head
from seglib.io.planes import merge_planes
from seglib.io.sample import IGNORE
from seglib.metrics import count
from seglib.overlap import case_dice

SOFTMAX = Head(3, sigmoid=False, overlapping=False)
SIGMOID = Head(3, sigmoid=True, overlapping=False)
OVERLAPPING = Head(3, sigmoid=True, overlapping=True)
shapes = st.sampled_from([(3, 5, 6), (2, 3, 4, 5)])


@given(st.integers(0, 2**32 - 1), shapes)
def test_validation_dice_is_the_dice_of_the_metrics(seed, shape):
    random = np.random.default_rng(seed)
    truth = random.choice([0, 1, 2, IGNORE], shape).astype(np.uint8)
    guess = random.integers(0, 3, shape)
    logits = torch.nn.functional.one_hot(torch.from_numpy(guess), 3).movedim(-1, 1).float()
    expected = [count(t, g, SOFTMAX).dice for t, g in zip(truth, guess.astype(np.uint8), strict=True)]
    np.testing.assert_allclose(case_dice(logits, torch.from_numpy(truth), SOFTMAX), expected, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), shapes)
def test_validation_dice_of_overlapping_classes_is_the_dice_of_the_metrics(seed, shape):
    random = np.random.default_rng(seed)
    truth = random.choice([0, 1, 2, 3, IGNORE], shape).astype(np.uint8)
    logits = random.normal(size=(shape[0], 2, *shape[1:])).astype(np.float32)
    guesses = [merge_planes(case > 0) for case in logits]
    expected = [count(t, g, OVERLAPPING).dice for t, g in zip(truth, guesses, strict=True)]
    found = case_dice(torch.from_numpy(logits), torch.from_numpy(truth), OVERLAPPING)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), shapes)
def test_validation_dice_of_a_sigmoid_over_exclusive_classes_is_that_of_the_metrics(seed, shape):
    random = np.random.default_rng(seed)
    truth = random.choice([0, 1, 2, IGNORE], shape).astype(np.uint8)
    logits = random.normal(size=(shape[0], 2, *shape[1:])).astype(np.float32)
    guesses = np.where(logits.max(1) > 0, logits.argmax(1) + 1, 0).astype(np.uint8)
    expected = [count(t, g, SIGMOID).dice for t, g in zip(truth, guesses, strict=True)]
    found = case_dice(torch.from_numpy(logits), torch.from_numpy(truth), SIGMOID)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID, OVERLAPPING])
def test_a_class_that_neither_shows_has_no_dice(head):
    logits = torch.full((1, head.planes, 4, 4), -5.0)
    logits[:, head.foreground.start] = 5
    found = case_dice(logits, torch.ones((1, 4, 4), dtype=torch.uint8), head)
    assert found.shape == (1, 2)
    assert found[0, 0] == 1
    assert found[0, 1].isnan()
