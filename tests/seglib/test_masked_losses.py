import pytest
import torch

from seglib.errors import SegError
from seglib.io.sample import IGNORE
from seglib.masked_losses import CrossEntropy, WeightedSum
from tests.loss_examples import HEADS, SOFTMAX, example

WEIGHTS = torch.tensor([0.5, 2.0, 0.5])


@pytest.mark.parametrize("head", HEADS)
def test_confident_pixels_step_back(head):
    logits, mask = example(head)
    sure = logits * 10
    plain, focal = (CrossEntropy(head, torch.ones(head.planes), gamma=gamma) for gamma in (0.0, 2.0))
    assert 0 < focal(logits, mask) < plain(logits, mask)
    assert focal(sure, mask) / plain(sure, mask) > focal(logits, mask) / plain(logits, mask)


@pytest.mark.parametrize("gamma", [0.3, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("head", HEADS)
def test_the_focus_has_a_finite_gradient_where_nothing_is_wrong(head, gamma):
    truth, _ = head.truth(example(head)[1])
    logits = (truth * 2e4 - 1e4).float().requires_grad_()
    CrossEntropy(head, torch.ones(head.planes), gamma=gamma)(logits, example(head)[1]).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_classes_of_weight_0_alone_cost_nothing():
    logits, mask = example(SOFTMAX)
    mask[mask != IGNORE] = 2
    assert CrossEntropy(SOFTMAX, torch.tensor([1.0, 2.0, 0.0]))(logits, mask) == 0


def test_a_sum_weighs_its_terms():
    logits, mask = example(SOFTMAX)
    plain, focal = CrossEntropy(SOFTMAX, WEIGHTS), CrossEntropy(SOFTMAX, WEIGHTS, gamma=2.0)
    both = WeightedSum([(2.0, plain), (0.5, focal)])(logits, mask)
    torch.testing.assert_close(both, 2 * plain(logits, mask) + 0.5 * focal(logits, mask))


def test_a_sum_adds_gradients_in_float32():
    logits, mask = example(SOFTMAX)
    half, whole = logits.bfloat16().requires_grad_(), logits.bfloat16().float().requires_grad_()
    loss = WeightedSum([(1.0, CrossEntropy(SOFTMAX, WEIGHTS)), (1.0, CrossEntropy(SOFTMAX, WEIGHTS, gamma=2.0))])
    for values in (half, whole):
        loss(values, mask).backward()
    assert half.grad is not None
    assert whole.grad is not None
    assert torch.equal(half.grad, whole.grad.bfloat16())


def test_a_sum_of_nothing_is_refused():
    with pytest.raises(SegError, match="all 0"):
        WeightedSum([(0.0, CrossEntropy(SOFTMAX, WEIGHTS))])


def test_weights_move_with_the_module():
    loss = CrossEntropy(SOFTMAX, WEIGHTS).to("meta")
    assert loss.weights.is_meta
