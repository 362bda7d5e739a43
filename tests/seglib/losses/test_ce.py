import pytest
import torch
import torch.nn.functional as F

from seglib.io.sample import IGNORE
from seglib.losses import ce
from tests.loss_examples import ONE_CLASS, OVERLAPPING, SIGMOID, SOFTMAX, example, reference


@pytest.mark.parametrize("weights", [[1.0, 1.0, 1.0], [0.25, 0.5, 2.25]])
def test_softmax_is_that_of_torch(weights):
    logits, mask = example(SOFTMAX)
    loss = ce.build(ce.Params(), SOFTMAX, torch.tensor(weights))(logits, mask)
    expected = F.cross_entropy(logits, mask.long(), torch.tensor(weights), ignore_index=IGNORE)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("head", [SIGMOID, OVERLAPPING, ONE_CLASS])
def test_sigmoid_is_the_binary_one_over_planes_and_known_pixels(head):
    logits, mask, guess, truth = reference(head)
    weights = torch.linspace(0.5, 1.5, head.planes)
    each = F.binary_cross_entropy(torch.from_numpy(guess), torch.from_numpy(truth).double(), reduction="none")
    loss = ce.build(ce.Params(), head, weights)(logits, mask)
    torch.testing.assert_close(loss.double(), (each * weights[:, None]).mean(), rtol=1e-5, atol=1e-6)
