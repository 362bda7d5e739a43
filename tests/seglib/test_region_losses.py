import pytest
import torch

from seglib.errors import SegError
from seglib.region_losses import GeneralizedDice, SoftDice, Tversky
from tests.loss_examples import HEADS, SOFTMAX, example

LOSSES = {
    "dice": SoftDice,
    "tversky": lambda *args, **kwargs: Tversky(*args, alpha=0.3, beta=0.7, **kwargs),
    "generalized": GeneralizedDice,
}
EACH = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@EACH
@pytest.mark.parametrize("head", HEADS)
def test_the_images_of_a_batch_are_one_region(loss, head):
    logits, mask = example(head)
    module = loss(head, torch.ones(head.planes), include_background=True)
    joined = torch.cat([logits[0], logits[1]], 1)[None], torch.cat([mask[0], mask[1]])[None]
    torch.testing.assert_close(module(logits, mask), module(*joined))


@EACH
def test_weights_of_0_for_all_that_is_averaged_are_refused(loss):
    weights = torch.tensor([3.0, 0.0, 0.0])
    with pytest.raises(SegError, match=r"loss\.class_weights.* background"):
        loss(SOFTMAX, weights, include_background=False)
    loss(SOFTMAX, weights, include_background=True)


@EACH
def test_weights_move_with_the_module(loss):
    assert loss(SOFTMAX, torch.ones(3), include_background=False).to("meta").weights.is_meta
