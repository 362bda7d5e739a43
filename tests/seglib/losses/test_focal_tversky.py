import numpy as np
import pytest
import torch

from seglib.losses import focal_tversky, tversky
from tests.loss_examples import HEADS, SOFTMAX, example, reference


def options(gamma):
    return focal_tversky.Params(alpha=0.3, beta=0.7, gamma=gamma, include_background=False)


@pytest.mark.parametrize("head", HEADS)
def test_without_a_focus_it_is_tversky(head):
    logits, mask = example(head)
    weights = torch.linspace(0.5, 1.5, head.planes)
    plain = tversky.Params(alpha=0.3, beta=0.7, include_background=False)
    expected = tversky.build(plain, head, weights)(logits, mask)
    assert torch.equal(focal_tversky.build(options(1), head, weights)(logits, mask), expected)


def test_each_class_is_raised_by_formula_before_weighing():
    logits, mask, guess, truth = reference(SOFTMAX)
    hits, alarms, misses = (guess * truth).sum(1), (guess * ~truth).sum(1), ((1 - guess) * truth).sum(1)
    each = (1 - hits / (hits + 0.3 * alarms + 0.7 * misses)) ** (3 / 4)
    loss = focal_tversky.build(options(4 / 3), SOFTMAX, torch.tensor([2.0, 0.25, 0.75]))(logits, mask)
    assert loss.item() == pytest.approx(np.average(each[1:], weights=[1, 3]), rel=1e-5)
