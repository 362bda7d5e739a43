import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.planes import class_planes, merge_planes
from seglib.io.sample import IGNORE


def test_exclusive_classes_are_their_indices():
    mask = np.array([[0, 1, 2, IGNORE]], np.uint8)
    planes = list(class_planes(mask, 3, overlapping=False))
    assert [plane.tolist() for plane in planes] == [
        [[True, False, False, False]],
        [[False, True, False, False]],
        [[False, False, True, False]],
    ]


def test_overlapping_classes_are_bits():
    mask = np.array([[0, 1, 2, 3, IGNORE]], np.uint8)
    background, one, two = class_planes(mask, 3, overlapping=True)
    assert background.tolist() == [[True, False, False, False, False]]
    assert one.tolist() == [[False, True, False, True, False]]
    assert two.tolist() == [[False, False, True, True, False]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.sampled_from([(5, 6), (2, 3, 4)]))
def test_merging_undoes_taking_apart(seed, foreground, shape):
    mask = np.random.default_rng(seed).integers(0, 2**foreground, shape).astype(np.uint8)
    planes = np.stack(list(class_planes(mask, foreground + 1, overlapping=True))[1:])
    merged = merge_planes(planes)
    assert merged.dtype == np.uint8
    np.testing.assert_array_equal(merged, mask)


@pytest.mark.parametrize("overlapping", [False, True])
def test_ignored_pixels_belong_to_no_class(overlapping):
    mask = np.full((3, 3), IGNORE, np.uint8)
    assert not any(plane.any() for plane in class_planes(mask, 8, overlapping=overlapping))
