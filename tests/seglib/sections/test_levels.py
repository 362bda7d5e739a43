"""Levels of a U-Net: strides for every axis, and the multiple that they need."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.config import parse
from seglib.errors import SegError
from seglib.sections.levels import Levels


def levels(strides, count=None):
    channels = [8] * (count or len(strides) + 1)
    return parse(Levels, {"channels": channels, "strides": strides, "dropout": 0.0}, "model.any")


@pytest.mark.parametrize(
    ("strides", "divisor"),
    [([2, 2, 2], 8), ([1], 1), ([2, 3], 6), ([[1, 2, 2], 2], 4), ([[1, 3], [2, 1]], 6), ([[4, 2], [1, 2], 2], 8)],
)
def test_the_divisor_is_the_product_of_the_strides(strides, divisor):
    assert levels(strides).divisor == divisor


def test_without_strides_every_level_halves():
    assert list(levels([], count=5).steps) == [2, 2, 2, 2]
    assert levels([], count=5).divisor == 16


@given(st.lists(st.lists(st.integers(1, 4), min_size=3, max_size=3), min_size=1, max_size=5))
def test_every_axis_divides_by_its_own_strides(strides):
    divisor = levels(strides).divisor
    products = [math.prod(axis) for axis in zip(*strides, strict=True)]
    assert all(divisor % product == 0 for product in products)
    assert divisor <= math.prod(products)


def test_strides_must_be_one_less_than_the_levels():
    with pytest.raises(SegError, match=r"strides: 4 channels need 3 strides, or none"):
        levels([2, 2], count=4)


def test_strides_must_name_the_axes_of_one_kind_of_image():
    with pytest.raises(SegError, match=r"strides: some name 2 axes, some 3"):
        levels([[1, 2], [1, 2, 2]])


@pytest.mark.parametrize("stride", [0, 5, [2], [2, 2, 2, 2], [0, 2]])
def test_impossible_strides_are_refused(stride):
    with pytest.raises(SegError, match=r"model\.any\.strides"):
        levels([stride])


def test_axes_are_those_of_the_images():
    assert levels([2, [1, 2, 2]]).misfits(3) == []
    (misfit,) = levels([2, [1, 2]]).misfits(3)
    assert misfit.startswith("strides: [1, 2] names 2 axes, the images have 3; ")
