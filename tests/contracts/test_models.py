"""Every architecture: any input size, any channels and planes, gradients everywhere, one or more outputs."""

import copy

import pytest
import torch

from seglib import models, plugins
from seglib.config import parse, read_params
from seglib.padding import Padded
from seglib.sections.network import EncoderNetwork, Shape

NARROW = {
    "unet": {"channels": [4, 8, 16, 32]},
    "basic_unet": {"features": [4, 4, 8, 8, 16, 4]},
    "unetpp": {"features": [4, 4, 8, 8, 16, 4]},
    "attention_unet": {"channels": [4, 8, 16]},
    "dynunet": {"channels": [4, 8, 8, 16, 16]},
    "segresnet": {"init_filters": 8, "blocks_down": [1, 1, 1], "blocks_up": [1, 1]},
    "swin_unetr": {"feature_size": 12, "depths": [2, 1, 1, 1], "num_heads": [1, 2, 2, 2]},
    "flexible_unet": {"decoder_channels": [16, 8, 8, 8, 4]},
}
"""Options that save time and change nothing of the contract."""


def options(name):
    plugin = plugins.load(models, name)
    given = plugins.options(plugin, read_params())
    return parse(plugin.Params, {**given.model_dump(), **NARROW.get(name, {})}, name)


def build(name, dims=2, channels=1, planes=3, outputs=1, seed=0):
    torch.manual_seed(seed)
    return plugins.load(models, name).build(options(name), Shape(dims, channels, planes, outputs))


def images(name, dims):
    """Images that the network must take as they are, whose sides are the smallest that `Padded` leaves alone.

    Of two sides one is an odd multiple, which a divisor that is too small does not survive.
    """
    multiples = (2, 3) if dims == 2 else (2, 2, 2)
    random = torch.Generator().manual_seed(0)
    return torch.randn(4 - dims, 1, *[multiple * options(name).divisor for multiple in multiples], generator=random)


def as_list(logits):
    return logits if isinstance(logits, list) else [logits]


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


NAMES = plugins.names(models)
SUPERVISED = [name for name in NAMES if options(name).outputs > 1]
ENCODERS = [name for name in NAMES if issubclass(plugins.load(models, name).Params, EncoderNetwork)]
EVERY = pytest.mark.parametrize("name", NAMES)


@pytest.mark.parametrize(
    ("name", "channels", "planes", "space"),
    [
        (name, *case)
        for name in NAMES
        for case in [(3, 2, (37, 51)), (4, 5, (1, 1)), (1, 1, (33, 98)), (2, 3, (5, 17, 31))]
        if len(case[-1]) in options(name).DIMS
    ],
)
def test_logits_have_the_size_of_the_image(name, channels, planes, space):
    network = Padded(build(name, len(space), channels, planes), options(name).divisor).eval()
    with torch.no_grad():
        logits = network(torch.randn(1, channels, *space))
    assert logits.shape == (1, planes, *space)
    assert logits.isfinite().all()


@pytest.mark.parametrize(
    ("name", "dims", "outputs"),
    [
        (name, dims, outputs)
        for name in NAMES
        for dims in options(name).DIMS
        for outputs in sorted({1, options(name).outputs})
    ],
)
def test_every_weight_gets_a_gradient(name, dims, outputs):
    x, network = images(name, dims), build(name, dims, outputs=outputs)
    logits = network(x)
    assert isinstance(logits, list) == (outputs > 1)
    assert [each.shape for each in as_list(logits)] == [(len(x), 3, *x.shape[2:])] * outputs
    torch.stack([each.square().mean() for each in as_list(logits)]).sum().backward()
    without = [key for key, weight in network.named_parameters() if weight.grad is None]
    assert not without


@EVERY
def test_weights_load_into_another_network(name):
    outputs = options(name).outputs
    network, other = build(name, outputs=outputs), build(name, outputs=outputs, seed=1)
    assert not same(network.state_dict(), other.state_dict())
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(network.eval()(images(name, 2)), other.eval()(images(name, 2)))


@pytest.mark.parametrize(
    ("name", "outputs"), [(name, outputs) for name in SUPERVISED for outputs in range(2, options(name).outputs + 1)]
)
def test_the_finest_output_is_the_one_that_is_used(name, outputs):
    network = build(name, outputs=outputs)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.eval()
    with torch.no_grad():
        supervised = network(images(name, 2))
        assert len(supervised) == outputs
        assert torch.equal(supervised[0], network.eval()(images(name, 2)))
    assert not any(torch.equal(supervised[0], coarser) for coarser in supervised[1:])


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_is_part_of_the_network(name):
    network = build(name)
    assert isinstance(network.encoder, torch.nn.Module)
    ours = {f"encoder.{key}" for key, _ in network.encoder.named_parameters()}
    assert ours
    assert ours < {key for key, _ in network.named_parameters()}


def train(network, x):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        torch.stack([each.sigmoid().mean() for each in as_list(network(x))]).sum().backward()
        optimizer.step()
    return network


@EVERY
def test_the_same_seed_trains_the_same_network_which_can_be_copied(name):
    x, outputs = images(name, 2), options(name).outputs
    first, second = build(name, outputs=outputs), build(name, outputs=outputs)
    start = [weight.detach().clone() for weight in first.parameters()]
    for network in (first, second):
        torch.manual_seed(0)
        train(network, x)
    assert same(first.state_dict(), second.state_dict())
    moved = [not torch.equal(before, after) for before, after in zip(start, first.parameters(), strict=True)]
    assert sum(moved) > len(moved) / 2, "a bias before a norm has no effect, all others have"
    with torch.no_grad():
        assert torch.equal(copy.deepcopy(first).eval()(x), first.eval()(x))
