"""SegResNet: its levels and norms."""

import pytest

from seglib.errors import SegError
from tests.seglib.models.built import build, images, options

SHALLOW = {"init_filters": 8, "blocks_down": [1, 1, 1], "blocks_up": [1, 1]}


@pytest.mark.parametrize("norm", ["group", "batch", "instance"])
@pytest.mark.parametrize("upsample", ["deconv", "nontrainable", "pixelshuffle"])
def test_every_norm_and_way_of_upsampling_works(norm, upsample):
    network = build("segresnet", **SHALLOW, norm=norm, upsample=upsample, dropout=0.1)
    assert network(images(8, 12)).shape == (2, 3, 8, 12)


def test_the_decoder_has_one_level_less_than_the_encoder():
    with pytest.raises(SegError, match="blocks_up: 3 levels down need 2 up"):
        options("segresnet", **{**SHALLOW, "blocks_up": [1, 1, 1]})


def test_group_norm_needs_multiples_of_eight():
    with pytest.raises(SegError, match=r"model\.segresnet\.init_filters"):
        options("segresnet", init_filters=12)
