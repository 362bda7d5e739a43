import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seglib.errors import SegError
from seglib.io.masks import class_indices

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
