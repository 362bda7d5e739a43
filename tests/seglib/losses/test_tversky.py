import pytest
import torch

from seglib.losses import dice, tversky
from tests.loss_examples import HEADS, example, reference


@pytest.mark.parametrize("head", HEADS)
def test_equal_halves_give_dice(head):
    logits, mask = example(head)
    weights = torch.linspace(0.5, 1.5, head.planes)
    halves = tversky.Params(alpha=0.5, beta=0.5, include_background=False)
    expected = dice.build(dice.Params(include_background=False), head, weights)(logits, mask)
    torch.testing.assert_close(tversky.build(halves, head, weights)(logits, mask), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("include_background", [False, True])
@pytest.mark.parametrize("head", HEADS)
def test_by_formula(head, include_background):
    logits, mask, guess, truth = reference(head)
    hits, alarms, misses = (guess * truth).sum(1), (guess * ~truth).sum(1), ((1 - guess) * truth).sum(1)
    first = 0 if head.sigmoid or include_background else 1
    scores = hits / (hits + 0.2 * alarms + 0.9 * misses)
    params = tversky.Params(alpha=0.2, beta=0.9, include_background=include_background)
    loss = tversky.build(params, head, torch.ones(head.planes))(logits, mask)
    assert loss.item() == pytest.approx((1 - scores[first:]).mean(), rel=1e-5)
