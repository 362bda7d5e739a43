"""BasicUNet and U-Net++, which have the same blocks."""

import pytest

from seglib.errors import SegError
from tests.seglib.models.built import build, images, options

NARROW = [4, 4, 8, 8, 16, 4]


def test_the_default_is_the_network_of_2015():
    assert options("basic_unet").features == [64, 128, 256, 512, 1024, 64]


@pytest.mark.parametrize("name", ["basic_unet", "unetpp"])
@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("upsample", ["deconv", "nontrainable", "pixelshuffle"])
def test_every_norm_and_way_of_upsampling_works(name, norm, upsample):
    network = build(name, features=NARROW, norm=norm, upsample=upsample, dropout=0.1)
    assert network(images(32, 48)).shape == (2, 3, 32, 48)


@pytest.mark.parametrize("name", ["basic_unet", "unetpp"])
@pytest.mark.parametrize("features", [NARROW[:5], [*NARROW, 4], [5, *NARROW[1:]]])
def test_six_even_numbers_of_features_are_needed(name, features):
    with pytest.raises(SegError, match=rf"^model\.{name}\.features"):
        options(name, features=features)
