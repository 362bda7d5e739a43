"""Pruning: channels that do nothing may go without a trace, and what is left is an ordinary model."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.instancenorm import _InstanceNorm

from seglib import models, plugins
from seglib.checkpoint import build_segmenter, load_checkpoint, save_checkpoint
from seglib.errors import SegError
from seglib.pruning import pruned, weight_count
from seglib.widths import narrowed
from tests.model_cards import CARD, card

UNET = {"channels": [4, 8, 16], "strides": [], "num_res_units": 2, "dropout": 0.2}
FEATURES = {"features": [4, 8, 16, 32, 64, 4], "norm": "batch", "dropout": 0.0, "upsample": "deconv"}
DYNUNET = {
    "channels": [4, 8, 16, 32],
    "strides": [],
    "kernels": [],
    "residual": True,
    "norm": "instance",
    "dropout": 0.0,
}
KINDS = {
    "unet": card(options=UNET),
    "plain unet of volumes": card(options=UNET | {"num_res_units": 0, "strides": [[1, 2, 2], 2]}, dims=3),
    "unet without padding or strides": card(options=UNET | {"num_res_units": 1, "strides": [1, 2]}, padding=False),
    "basic_unet": card(model="basic_unet", options=FEATURES),
    "interpolating basic_unet of volumes": card(
        model="basic_unet", options=FEATURES | {"norm": "instance", "upsample": "nontrainable"}, dims=3
    ),
    "unetpp": card(model="unetpp", options=FEATURES, outputs=3),
    "dynunet": card(model="dynunet", options=DYNUNET, outputs=2),
    "plain dynunet of volumes": card(model="dynunet", options=DYNUNET | {"residual": False, "norm": "batch"}, dims=3),
}
"""Several ways to share channels: residual connections, concatenations, pyramids, auxiliary outputs."""
SIDES = [32, 40, 16]


def model(own, seed=0):
    torch.manual_seed(seed)
    return build_segmenter(own, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0, 6.0])).eval()


def half(own):
    return replace(own, options=narrowed(own.model, own.options, 0.5))


def images(own, number=1):
    return 9 * torch.rand(number, 3, *SIDES[: own.dims], generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def silence_every_second_channel(segmenter, own):
    """In all layers of one width the same ones, so those that share channels agree.

    The weights of a layer become equally large, so that no channel matters for what it is read with.
    """
    for layer in segmenter.modules():
        if isinstance(layer, _ConvNd):
            layer.weight.copy_(layer.weight.sign() * layer.weight.abs().mean())
            if layer.out_channels != own.head.planes:
                weight = layer.weight.transpose(0, 1) if isinstance(layer, _ConvTransposeNd) else layer.weight
                weight[1::2] = 0
                if layer.bias is not None:
                    layer.bias[1::2] = 0
        elif isinstance(layer, _BatchNorm | _InstanceNorm) and layer.affine:
            layer.weight[1::2] = 0
            layer.bias[1::2] = 0


@torch.no_grad()
def settle_batch_norms(segmenter, own):
    norms = [layer for layer in segmenter.modules() if isinstance(layer, _BatchNorm)]
    for layer in norms:
        layer.momentum = None  # the mean over all batches
    segmenter.train()(images(own, 2))
    segmenter.eval()


def test_every_network_that_says_so_can_be_pruned():
    able = {name for name in plugins.names(models) if plugins.load(models, name).Params.WIDTHS}
    assert able == {own.model for own in KINDS.values()}


@pytest.mark.parametrize("kind", KINDS)
def test_channels_that_do_nothing_go_without_a_trace(kind):
    own = KINDS[kind]
    whole = model(own)
    silence_every_second_channel(whole, own)
    settle_batch_norms(whole, own)
    smaller = pruned(whole, own, half(own))
    with torch.no_grad():
        expected, found = whole(images(own)), smaller(images(own))
    assert expected.std() > 1e-3
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()
    assert weight_count(smaller) < 0.3 * weight_count(whole)


def test_the_outputs_for_deep_supervision_lose_nothing_either():
    own = KINDS["dynunet"]
    whole = model(own)
    silence_every_second_channel(whole, own)
    smaller = pruned(whole, own, half(own))
    with torch.no_grad():
        pairs = zip(whole.train()(images(own)), smaller.train()(images(own)), strict=True)
    for expected, found in pairs:
        assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("kind", ["unet", "basic_unet"])
def test_the_pruned_model_is_an_ordinary_file_and_smaller(tmp_path, kind):
    own = KINDS[kind]
    whole, smaller = model(own), half(own)
    settle_batch_norms(whole, own)
    left = pruned(whole, own, smaller)
    save_checkpoint(tmp_path / "best.pt", own, whole.state_dict())
    save_checkpoint(tmp_path / "pruned.pt", smaller, left.state_dict())
    read, read_card = load_checkpoint(tmp_path / "pruned.pt")
    assert read_card == smaller
    with torch.no_grad():
        assert torch.equal(read(images(own)), left(images(own)))
    assert (tmp_path / "pruned.pt").stat().st_size < 0.6 * (tmp_path / "best.pt").stat().st_size
    assert torch.equal(read.mean, whole.mean)
    assert torch.equal(read.std, whole.std)


def test_the_same_channels_go_whatever_was_drawn_before(tmp_path):
    own = KINDS["unet"]
    for name, seed in (("one.pt", 1), ("another.pt", 2)):
        whole = model(own)
        torch.manual_seed(seed)
        save_checkpoint(tmp_path / name, half(own), pruned(whole, own, half(own)).state_dict())
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()


def test_the_whole_model_stays_as_it_was():
    own = KINDS["basic_unet"]
    whole = model(own)
    before = {key: value.clone() for key, value in whole.state_dict().items()}
    pruned(whole, own, half(own))
    assert not whole.training
    assert all(torch.equal(value, before[key]) for key, value in whole.state_dict().items())


def test_statistics_of_batch_norms_are_kept():
    own = KINDS["basic_unet"]
    whole = model(own)
    for layer in whole.modules():
        if isinstance(layer, _BatchNorm):
            layer.running_mean = torch.arange(layer.num_features) / 7
    smaller = pruned(whole, own, half(own))
    means = [layer.running_mean for layer in smaller.modules() if isinstance(layer, _BatchNorm)]
    kept = [7 * mean for mean in means if mean is not None]
    assert [len(mean) for mean in kept][:3] == [2, 2, 4]
    for mean in kept:
        assert (mean - mean.round()).abs().max() < 1e-4, "each is that of a channel of the whole model"
        assert mean.diff().min() > 0.5, "in the same order"


def test_widths_that_would_need_other_layers_are_refused():
    own = card(options=UNET | {"channels": [8, 15, 16]})
    smaller = replace(own, options=own.options | {"channels": [4, 8, 8]})
    with pytest.raises(SegError, match=r"prune.ratio: .*\[4, 8, 8\].*set another ratio"):
        pruned(model(own), own, smaller)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(2, 24), min_size=2, max_size=4).flatmap(
        lambda channels: st.tuples(
            st.just(channels), st.lists(st.integers(1, 2), min_size=len(channels) - 1, max_size=len(channels) - 1)
        )
    ),
    st.integers(0, 3),
    st.floats(0.3, 0.95),
)
def test_any_unet_is_pruned_or_refused(levels, units, ratio):
    channels, strides = levels
    own = replace(CARD, options={"channels": channels, "strides": strides, "num_res_units": units, "dropout": 0.0})
    try:
        smaller = replace(own, options=narrowed("unet", own.options, ratio))
        left = pruned(model(own), own, smaller)
    except SegError:
        return
    with torch.no_grad():
        assert left(images(own)).shape == (1, 2, 32, 40)
    first = next(layer for layer in left.modules() if isinstance(layer, nn.Conv2d))
    assert first.out_channels == smaller.options["channels"][0]
