"""Swin UNETR: heads, and activations that are computed twice."""

import pytest
import torch

from seglib.errors import SegError
from tests.seglib.models.built import build, images, options

NARROW = {"feature_size": 12, "depths": [2, 1, 1, 1], "num_heads": [1, 2, 2, 2], "window": 4}


def test_feature_maps_must_part_into_the_heads():
    with pytest.raises(SegError, match="num_heads: 24 feature maps do not part into 5"):
        options("swin_unetr", **{**NARROW, "num_heads": [1, 5, 2, 2]})


@pytest.mark.parametrize("changes", [{"norm": "batch"}, {"residual": True}])
def test_every_choice_works(changes):
    network = build("swin_unetr", **NARROW, **changes, dropout=0.1, attention_dropout=0.1, drop_path=0.1)
    assert network(images(64, 64)).shape == (2, 3, 64, 64)


def test_a_checkpoint_changes_no_gradient():
    gradients = []
    for checkpoint in (False, True):
        network = build("swin_unetr", **NARROW, checkpoint=checkpoint, dropout=0.1)
        torch.manual_seed(0)
        network(images(64, 64)).square().mean().backward()
        gradients.append([weight.grad for weight in network.parameters()])
    assert all(torch.equal(first, second) for first, second in zip(*gradients, strict=True))
