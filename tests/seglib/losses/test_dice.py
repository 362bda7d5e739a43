import numpy as np
import pytest
import torch

from seglib.losses import dice
from tests.loss_examples import HEADS, SOFTMAX, reference


@pytest.mark.parametrize("include_background", [False, True])
@pytest.mark.parametrize("head", HEADS)
def test_by_formula(head, include_background):
    logits, mask, guess, truth = reference(head)
    first = 0 if head.sigmoid or include_background else 1
    scores = (2 * (guess * truth).sum(1) + 1e-5) / (guess.sum(1) + truth.sum(1) + 1e-5)
    loss = dice.build(dice.Params(include_background=include_background), head, torch.ones(head.planes))(logits, mask)
    assert loss.item() == pytest.approx((1 - scores[first:]).mean(), rel=1e-5)


def test_class_weights_are_brought_to_mean_1_among_the_classes_that_count():
    logits, mask, guess, truth = reference(SOFTMAX)
    scores = 2 * (guess * truth).sum(1) / (guess.sum(1) + truth.sum(1))
    loss = dice.build(dice.Params(include_background=False), SOFTMAX, torch.tensor([1.5, 0.3, 1.2]))(logits, mask)
    assert loss.item() == pytest.approx(np.average(1 - scores[1:], weights=[0.3, 1.2]), rel=1e-5)
