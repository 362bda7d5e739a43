import numpy as np
import pytest
import torch

from seglib.losses import dice_ce
from tests.loss_examples import OVERLAPPING, SOFTMAX, reference


@pytest.mark.parametrize(("dice_weight", "ce_weight"), [(1.0, 0.0), (0.0, 1.0), (0.5, 2.0)])
@pytest.mark.parametrize("head", [SOFTMAX, OVERLAPPING])
def test_by_formula(head, dice_weight, ce_weight):
    logits, mask, guess, truth = reference(head)
    dice = 1 - (2 * (guess * truth).sum(1) / (guess.sum(1) + truth.sum(1)))[head.foreground].mean()
    ce = -np.log(np.where(truth, guess, 1 - guess)).mean() if head.sigmoid else -np.log(guess.T[truth.T]).mean()
    params = dice_ce.Params(dice_weight=dice_weight, ce_weight=ce_weight, include_background=False)
    loss = dice_ce.build(params, head, torch.ones(head.planes))(logits, mask)
    assert loss.item() == pytest.approx(dice_weight * dice + ce_weight * ce, rel=1e-5)
