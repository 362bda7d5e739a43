import numpy as np
import pytest
import torch

from seglib.losses import generalized_dice
from tests.loss_examples import HEADS, ONE_CLASS, SOFTMAX, example, known, probabilities, reference, truth_of


def loss_of(head, logits, mask, weights=None, *, include_background=True):
    params = generalized_dice.Params(include_background=include_background)
    return generalized_dice.build(params, head, torch.ones(head.planes) if weights is None else weights)(logits, mask)


@pytest.mark.parametrize("include_background", [False, True])
@pytest.mark.parametrize("head", HEADS)
def test_by_formula(head, include_background):
    logits, mask, guess, truth = reference(head)
    kept = slice(0 if head.sigmoid or include_background else 1, None)
    weights = torch.linspace(0.5, 1.5, head.planes)
    factors = (weights.numpy() / truth.sum(1) ** 2.0)[kept]
    both, total = (guess * truth).sum(1)[kept], (guess.sum(1) + truth.sum(1))[kept]
    expected = 1 - 2 * (factors * both).sum() / (factors * total).sum()
    loss = loss_of(head, logits, mask, weights, include_background=include_background)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_a_class_without_pixels_counts_as_the_rarest():
    logits, mask = example(SOFTMAX)
    mask[mask == 2] = 0
    guess = known(probabilities(logits, SOFTMAX), mask)
    truth = known(truth_of(mask, SOFTMAX), mask)
    volume = truth.sum(1)
    factors = 1 / np.array([volume[0], volume[1], min(volume[:2])]) ** 2.0
    expected = 1 - 2 * (factors * (guess * truth).sum(1)).sum() / (factors * (guess.sum(1) + volume)).sum()
    assert loss_of(SOFTMAX, logits, mask).item() == pytest.approx(expected, rel=1e-5)


def test_false_alarms_cost_where_no_class_is_shown():
    logits, mask = example(ONE_CLASS)
    logits.requires_grad_()
    loss_of(ONE_CLASS, logits, torch.zeros_like(mask)).backward()
    assert logits.grad is not None
    assert (logits.grad > 0).all()


def test_large_images_keep_their_precision():
    mask = torch.zeros(1, 1000, 1000, dtype=torch.uint8)
    mask[:, :500] = 1
    assert loss_of(ONE_CLASS, torch.zeros(1, 1, 1000, 1000), mask).item() == pytest.approx(0.5, rel=1e-5)
