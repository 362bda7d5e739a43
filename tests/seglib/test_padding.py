"""Networks that want multiples get them, and their results have the image's size again."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seglib.padding import Padded


class Seen(nn.Module):
    """Gives its input back, a given number of times, and remembers it."""

    def __init__(self, outputs=1):
        super().__init__()
        self.outputs = outputs

    def forward(self, images):
        self.images = images
        return images if self.outputs == 1 else [images * (i + 1) for i in range(self.outputs)]


def numbered(*shape):
    return torch.arange(math.prod(shape), dtype=torch.float32).view(shape)


@given(st.lists(st.integers(1, 20), min_size=2, max_size=3), st.integers(1, 7), st.integers(1, 3))
def test_the_network_sees_the_next_multiple_and_the_result_the_image(space, divisor, outputs):
    network = Seen(outputs)
    images = numbered(2, 1, *space)
    logits = Padded(network, divisor)(images)
    for side, seen in zip(space, network.images.shape[2:], strict=True):
        multiples = [divisor * i for i in range(2, 21)]
        assert seen == min(multiple for multiple in multiples if multiple >= side)
    each = logits if outputs > 1 else [logits]
    assert len(each) == outputs
    assert all(torch.equal(output, images * (i + 1)) for i, output in enumerate(each))


@pytest.mark.parametrize("space", [(8, 12), (12, 8, 16)], ids=["plane", "volume"])
def test_what_fits_is_not_copied(space):
    network, images = Seen(), numbered(1, 2, *space)
    assert Padded(network, 4)(images) is images
    assert network.images is images


def test_the_border_is_repeated_behind_the_last_pixels():
    network = Seen()
    Padded(network, 2)(torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]))
    assert network.images.tolist() == [
        [[[1, 2, 3, 3], [4, 5, 6, 6], [4, 5, 6, 6], [4, 5, 6, 6]]],
    ]


def test_of_a_volume_each_axis_is_padded_for_itself():
    network = Seen()
    Padded(network, 1)(numbered(1, 1, 1, 1, 3))
    assert network.images.shape == (1, 1, 2, 2, 3)
    assert (network.images == torch.tensor([0.0, 1.0, 2.0])).all()


def test_padding_changes_neither_weights_nor_gradients():
    network = nn.Conv2d(1, 1, 1)
    images = torch.randn(1, 1, 5, 3, generator=torch.Generator().manual_seed(0))
    Padded(network, 4)(images).sum().backward()
    assert network.weight.grad is not None
    torch.testing.assert_close(network.weight.grad.flatten(), images.sum().view(1))
