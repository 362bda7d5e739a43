"""Attention U-Net on volumes of thick slices."""

from tests.seglib.models.built import build, images


def test_axes_may_have_strides_of_their_own():
    network = build("attention_unet", dims=3, channels=[4, 8, 8], strides=[[1, 2, 2], [2, 2, 2]])
    assert network(images(2, 8, 12)).shape == (2, 3, 2, 8, 12)
