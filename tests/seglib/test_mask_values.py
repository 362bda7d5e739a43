"""Mask values follow from probabilities as the head means them."""

import numpy as np
import pytest

from seglib.head import Head
from seglib.mask_values import has_threshold, mask_of

PLANES = np.array([[0.4, 0.1, 0.3, 0.6], [0.6, 0.2, 0.7, 0.9]], np.float32)[:, :, None]
SOFTMAX = np.concatenate([np.full((1, 4, 1), 0.45, np.float32), PLANES])


def values(probabilities, *threshold, sigmoid, overlapping=False):
    return mask_of(probabilities, Head(3, sigmoid, overlapping), *threshold).ravel().tolist()


def test_at_one_half():
    assert values(SOFTMAX, sigmoid=False) == [2, 0, 2, 2]
    assert values(PLANES, sigmoid=True) == [2, 0, 2, 2]
    assert values(PLANES, sigmoid=True, overlapping=True) == [2, 0, 2, 3]


@pytest.mark.parametrize(
    ("threshold", "exclusive", "overlapping"),
    [(0.15, [2, 2, 2, 2], [3, 2, 3, 3]), (0.35, [2, 0, 2, 2], [3, 0, 2, 3]), (0.65, [0, 0, 2, 2], [0, 0, 2, 2])],
)
def test_a_sigmoids_planes_need_more_than_the_threshold(threshold, exclusive, overlapping):
    assert values(PLANES, threshold, sigmoid=True) == exclusive
    assert values(PLANES, threshold, sigmoid=True, overlapping=True) == overlapping


def test_of_two_classes_the_foreground_needs_more_than_the_threshold():
    foreground = np.array([0.2, 0.3, 0.5, 0.50001, 0.8], np.float32)
    head = Head(2, sigmoid=False, overlapping=False)

    def found(threshold):
        return mask_of(np.stack([1 - foreground, foreground]), head, threshold).tolist()

    assert found(0.5) == [0, 0, 0, 1, 1]
    assert found(0.3) == [0, 0, 1, 1, 1]
    assert found(0.7) == [0, 0, 0, 0, 1]


def test_of_equal_probabilities_softmax_takes_the_first_class():
    even = np.full((3, 2, 2), 1 / 3, np.float32)
    assert not mask_of(even, Head(3, sigmoid=False, overlapping=False)).any()


def test_only_softmax_of_several_classes_has_no_threshold():
    assert has_threshold(Head(2, sigmoid=False, overlapping=False))
    assert has_threshold(Head(3, sigmoid=True, overlapping=False))
    assert not has_threshold(Head(3, sigmoid=False, overlapping=False))
