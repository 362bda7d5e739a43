"""Every architecture: any input size, any number of channels and classes, gradients everywhere."""

import pytest
import torch

from seglib import models, plugins
from seglib.config import read_params


def build(name, channels=1, classes=3):
    plugin = plugins.load(models, name)
    torch.manual_seed(0)
    return plugin.build(plugins.options(plugin, read_params()), channels, classes)


@pytest.mark.parametrize("name", plugins.names(models))
@pytest.mark.parametrize(
    ("channels", "classes", "height", "width"), [(1, 3, 64, 64), (3, 2, 37, 51), (4, 5, 1, 1), (1, 2, 130, 33)]
)
def test_logits_have_the_size_of_the_image(name, channels, classes, height, width):
    network = build(name, channels, classes).eval()
    logits = network(torch.randn(2, channels, height, width))
    assert logits.shape == (2, classes, height, width)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", plugins.names(models))
def test_every_weight_gets_a_gradient(name):
    network = build(name)
    network(torch.randn(2, 1, 64, 64)).square().mean().backward()
    without = [key for key, weight in network.named_parameters() if weight.grad is None]
    assert not without


@pytest.mark.parametrize("name", plugins.names(models))
def test_same_seed_builds_the_same_weights(name):
    first, second = build(name).state_dict(), build(name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
