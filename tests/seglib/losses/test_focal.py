import numpy as np
import pytest
import torch

from seglib.losses import ce, focal
from tests.loss_examples import HEADS, OVERLAPPING, SOFTMAX, example, reference


@pytest.mark.parametrize("head", HEADS)
def test_without_a_focus_it_is_cross_entropy(head):
    logits, mask = example(head)
    weights = torch.linspace(0.5, 1.5, head.planes)
    losses = [
        plugin.build(params, head, weights)(logits, mask)
        for plugin, params in ((focal, focal.Params(gamma=0)), (ce, ce.Params()))
    ]
    assert torch.equal(*losses)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_softmax_by_formula(gamma):
    logits, mask, guess, truth = reference(SOFTMAX)
    weights = np.array([0.25, 0.5, 2.25])
    right, weight = guess.T[truth.T], weights[truth.argmax(0)]
    expected = (weight * -((1 - right) ** gamma) * np.log(right)).sum() / weight.sum()
    loss = focal.build(focal.Params(gamma=gamma), SOFTMAX, torch.from_numpy(weights).float())(logits, mask)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_sigmoid_by_formula(gamma):
    logits, mask, guess, truth = reference(OVERLAPPING)
    right = np.where(truth, guess, 1 - guess)
    expected = (-((1 - right) ** gamma) * np.log(right)).mean()
    loss = focal.build(focal.Params(gamma=gamma), OVERLAPPING, torch.ones(2))(logits, mask)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
