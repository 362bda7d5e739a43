import pytest
import torch
import torch.nn.functional as F

from seglib.losses import bce
from tests.loss_examples import ONE_CLASS, OVERLAPPING, SIGMOID, reference


@pytest.mark.parametrize("positive_weight", [1.0, 3.0])
@pytest.mark.parametrize("head", [SIGMOID, OVERLAPPING, ONE_CLASS])
def test_it_is_that_of_torch_over_known_pixels(head, positive_weight):
    logits, mask, guess, truth = reference(head)
    loss = bce.build(bce.Params(positive_weight=positive_weight), head, torch.ones(head.planes))(logits, mask)
    expected = F.binary_cross_entropy_with_logits(
        torch.from_numpy(guess).logit(),
        torch.from_numpy(truth).double(),
        pos_weight=torch.tensor(positive_weight),
    )
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)


def test_it_trains_sigmoid_heads_only():
    assert bce.Params.HEADS == ("sigmoid",)
