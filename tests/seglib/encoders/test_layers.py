import pytest
import torch
from torch import nn

from seglib.encoders.layers import BatchNorm, convolution, initialise, normalised
from tests.weight_files import settle


def norms(channels=3):
    """Our norm and torch's with the same weights and statistics."""
    ours, theirs = settle(BatchNorm(channels)), nn.BatchNorm2d(channels)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def statistics(norm):
    return {name: value.tolist() for name, value in norm.named_buffers()}


@pytest.mark.parametrize("shape", [(1, 3, 1, 2), (2, 3, 1, 1), (4, 3, 5, 6)])
@pytest.mark.parametrize("training", [True, False])
def test_where_values_vary_it_is_batch_norm(shape, training):
    ours, theirs = norms()
    x = torch.randn(shape)
    assert torch.equal(ours.train(training)(x), theirs.train(training)(x))
    assert statistics(ours) == statistics(theirs)


def test_a_single_value_is_normalised_as_in_evaluation_and_changes_no_statistics():
    ours, theirs = norms()
    x = torch.randn(1, 3, 1, 1)
    with pytest.raises(ValueError, match="more than 1 value"):
        theirs.train()(x)
    before = statistics(ours)
    y = ours.train()(x)
    torch.testing.assert_close(y, theirs.eval()(x))
    assert statistics(ours) == before
    y.sum().backward()
    mean, variance = ours.get_buffer("running_mean"), ours.get_buffer("running_var")
    expected = (x.flatten() - mean) / (variance + ours.eps).sqrt()
    torch.testing.assert_close(ours.weight.grad, expected)
    torch.testing.assert_close(ours.bias.grad, torch.ones(3))


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 4), (5, 2), (7, 1)])
def test_a_convolution_keeps_the_size(kernel, dilation):
    assert convolution(2, 3, kernel, dilation=dilation)(torch.zeros(1, 2, 9, 13)).shape == (1, 3, 9, 13)


def test_weights_have_the_spread_of_he_and_biases_are_zero():
    torch.manual_seed(0)
    first, up, last = normalised(convolution(64, 128, 3)), nn.ConvTranspose2d(128, 64, 2), nn.Conv2d(64, 2, 1)
    initialise(nn.Sequential(first, up, last))
    # fan-out: output channels times the kernel's area (torch counts a transposed kernel's input channels)
    assert first.get_parameter("0.weight").std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    assert up.weight.std().item() == pytest.approx((2 / (128 * 4)) ** 0.5, rel=0.02)
    assert not up.get_parameter("bias").any()
    assert not last.get_parameter("bias").any()
