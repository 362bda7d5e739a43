import pytest
import torch

from seglib.losses import dice, dice_focal, focal
from tests.loss_examples import HEADS, example


@pytest.mark.parametrize("head", HEADS)
def test_it_is_the_weighted_sum_of_dice_and_focal(head):
    logits, mask = example(head)
    params = dice_focal.Params(dice_weight=0.5, focal_weight=3, gamma=1.5, include_background=False)
    weights = torch.linspace(0.5, 1.5, head.planes)
    terms = [
        (0.5, dice.build(dice.Params(include_background=False), head, weights)),
        (3.0, focal.build(focal.Params(gamma=1.5), head, weights)),
    ]
    expected = sum(factor * loss(logits, mask).item() for factor, loss in terms)
    assert dice_focal.build(params, head, weights)(logits, mask).item() == pytest.approx(expected, rel=1e-6)
