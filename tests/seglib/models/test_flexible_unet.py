"""FlexibleUNet: which EfficientNet it holds, and that nothing is fetched."""

import socket
from typing import Any

import pytest
import torch

from tests.seglib.models.built import build, images, options

NARROW: dict[str, Any] = {"decoder_channels": [16, 8, 8, 8, 4]}


def test_the_encoder_has_the_names_of_published_files_but_no_classifier():
    keys = build("flexible_unet", **NARROW).get_submodule("encoder").state_dict().keys()
    assert {"_conv_stem.weight", "_bn0.running_mean", "_blocks.0.0._depthwise_conv.weight"} <= keys
    assert {key.split(".")[0] for key in keys} == {"_conv_stem", "_bn0", "_blocks"}


@pytest.mark.parametrize(("backbone", "published"), [("b0", 5_288_548), ("b1", 7_794_184)])
def test_the_backbone_is_the_one_asked_for(backbone, published):
    head = 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000  # last convolution, its norm, classifier
    stem = 2 * 32 * 9  # of the two channels that a grey image lacks
    encoder = build("flexible_unet", **NARROW, backbone=backbone).get_submodule("encoder")
    assert sum(weight.numel() for weight in encoder.parameters()) == published - head - stem


@pytest.mark.parametrize("upsample", ["deconv", "pixelshuffle"])
def test_every_way_of_upsampling_works(upsample):
    network = build("flexible_unet", **NARROW, upsample=upsample, dropout=0.1)
    assert network(images(64, 64)).shape == (2, 3, 64, 64)


def test_weights_are_never_fetched_by_monai(monkeypatch):
    def refuse(*_):
        pytest.fail("it opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    changes: dict[str, Any] = {"weights": "https://example.org/weights.pth", "sha256": "0" * 64}
    given = build("flexible_unet", **NARROW, **changes).state_dict()
    random = build("flexible_unet", **NARROW).state_dict()
    assert all(torch.equal(given[key], random[key]) for key in random)
    assert options("flexible_unet", **changes).weights == changes["weights"]
