from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seglib.errors import SegError
from seglib.io.masks import class_indices, colour_indices, covered, stacked

MASKS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
VALUES = st.lists(st.integers(0, 255), min_size=2, max_size=250, unique=True)


@given(VALUES, MASKS)
def test_every_declared_value_becomes_its_index(values, mask):
    mapping = {value: index for index, value in enumerate(values)}
    declared = np.array(values, np.uint8)[mask % len(values)]
    indices = class_indices(declared, mapping, "mask.png")
    assert indices.dtype == np.uint8
    assert (np.array(values, np.uint8)[indices] == declared).all()


@given(VALUES, MASKS)
def test_a_value_is_mapped_or_named(values, mask):
    mapping = {value: index for index, value in enumerate(values)}
    undeclared = sorted(set(np.unique(mask).tolist()) - set(values))
    if not undeclared:
        class_indices(mask, mapping, "mask.png")
        return
    with pytest.raises(SegError, match=rf"mask.png: mask values outside the declared classes: {undeclared[0]}\b"):
        class_indices(mask, mapping, "mask.png")


def test_the_message_tells_values_share_and_what_is_declared():
    mask = np.array([[0, 255], [7, 9]], np.uint8)
    with pytest.raises(SegError, match=r"classes: 7, 9 \(50\.00% of the pixels\); declared: 0, 255\. Declare them"):
        class_indices(mask, {0: 0, 255: 1}, "mask.png")


@pytest.mark.parametrize(
    ("values", "declared", "said"),
    [
        ([0, 255], [0, 1], "The mask holds 0 and 255; declare value: 255"),
        ([255], [0, 1], "The mask holds 0 and 255; declare value: 255"),
        ([0, 1], [0, 255], "The mask holds 0 and 1, but 255 is declared; declare value: 1"),
        ([0, 1, 255], [0, 255], "Declare them, or save"),
        ([0, 1], [0, 2], "Declare them, or save"),
    ],
)
def test_the_usual_mistake_is_named(values, declared, said):
    with pytest.raises(SegError, match=said):
        class_indices(np.array([values], np.uint8), {value: i for i, value in enumerate(declared)}, "mask.png")


def test_colours_become_indices():
    pixels = np.array([[[0, 0, 0], [255, 0, 1], [255, 0, 1]]], np.uint8)
    assert colour_indices(pixels, {(0, 0, 0): 0, (255, 0, 1): 3}, "mask.png").tolist() == [[0, 3, 3]]
    with pytest.raises(SegError, match=r"mask\.png: mask colours .*: \[255, 0, 1\] \(66\.67%.*declared: \[0, 0, 0\]"):
        colour_indices(pixels, {(0, 0, 0): 0}, "mask.png")


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("a.png", [0, 1], [False, True]),
        ("a.png", [0, 255], [False, True]),
        ("a.png", [0, 0], [False, False]),
        ("a.JPG", [0, 3, 120, 130, 255], [False, False, False, True, True]),
    ],
)
def test_where_the_mask_of_one_class_covers(name, values, expected):
    assert covered(np.array(values, np.uint8), Path(name)).tolist() == expected


def test_a_mask_of_one_class_with_several_values_is_refused():
    with pytest.raises(SegError, match=r"a\.png: .*values 1, 2 besides 0"):
        covered(np.array([0, 1, 2], np.uint8), Path("a.png"))


def test_classes_are_stacked_in_their_order_or_as_bits():
    planes = {1: np.array([True, True, False, True]), 2: np.array([False, True, True, True])}
    ignored = {**planes, 255: np.array([False, False, False, True])}
    assert stacked(planes, (4,), "a", overlapping=False).tolist() == [1, 2, 2, 2]
    assert stacked(planes, (4,), "a", overlapping=True).tolist() == [1, 3, 2, 3]
    assert stacked(ignored, (4,), "a", overlapping=False).tolist() == [1, 2, 2, 255]
    assert stacked(ignored, (4,), "a", overlapping=True).tolist() == [1, 3, 2, 255]
    with pytest.raises(SegError, match=r"image\.png: masks of \(5,\) and of \(4,\) pixels"):
        stacked(planes, (5,), "image.png", overlapping=False)
