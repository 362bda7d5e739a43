import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE
from seglib.targets import guessed_planes, outputs, target_planes

CLASSES = 4


def random_mask(seed, overlapping, shape=(2, 5, 6)):
    values = [*range(2 ** (CLASSES - 1) if overlapping else CLASSES), IGNORE]
    return np.random.default_rng(seed).choice(values, shape).astype(np.uint8)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([(2, 5, 6), (1, 3, 4, 5)]))
def test_planes_are_those_of_the_mask(seed, overlapping, shape):
    mask = random_mask(seed, overlapping, shape)
    number = outputs(CLASSES, overlapping=overlapping)
    planes, counts = target_planes(torch.from_numpy(mask), number, overlapping=overlapping)
    assert planes.dtype == torch.int64
    assert counts.shape == (shape[0], 1, *shape[1:])
    for case in range(shape[0]):
        expected = list(class_planes(mask[case], CLASSES, overlapping=overlapping))[overlapping:]
        np.testing.assert_array_equal(planes[case].numpy().astype(bool), expected)
    np.testing.assert_array_equal(counts[:, 0], mask != IGNORE)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_sure_logits_are_guessed_as_their_planes(seed, overlapping):
    mask = torch.from_numpy(random_mask(seed, overlapping)).clamp(max=CLASSES - 1)
    planes, _ = target_planes(mask, outputs(CLASSES, overlapping=overlapping), overlapping=overlapping)
    assert torch.equal(guessed_planes(planes * 8.0 - 4, overlapping=overlapping), planes)


@pytest.mark.parametrize(("overlapping", "planes"), [(False, 4), (True, 3)])
def test_overlapping_classes_need_no_plane_of_the_background(overlapping, planes):
    assert outputs(CLASSES, overlapping=overlapping) == planes
