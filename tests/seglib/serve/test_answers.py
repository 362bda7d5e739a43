import base64

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seglib.serve.answers import LARGEST, describe
from tests.model_cards import card
from tests.serving import decoded

THREE = [
    {"name": "background", "colour": [0, 0, 0]},
    {"name": "organ", "colour": [200, 0, 0]},
    {"name": "tumour", "colour": [0, 100, 0]},
]


def pixels(text: str) -> np.ndarray:
    """A picture of the answer."""
    return decoded(base64.b64decode(text))


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)))
def test_areas_mask_and_overlay_are_those_of_the_mask(mask):
    found = describe(np.zeros((*mask.shape, 3), np.uint8), mask, card(classes=THREE))
    assert [each["pixels"] for each in found["classes"]] == [(mask == 1).sum(), (mask == 2).sum()]
    assert [each["value"] for each in found["classes"]] == [1, 2]
    assert (pixels(found["mask"]) == mask).all()
    layer = pixels(found["overlay"])
    assert ((layer[:, :, 3] == 255) == (mask > 0)).all()
    assert (layer[mask == 1] == [200, 0, 0, 255]).all()


def test_overlapping_classes_count_for_themselves_and_mix():
    mask = np.array([[0, 1, 3, 2]], np.uint8)
    found = describe(np.zeros((1, 4, 3), np.uint8), mask, card(classes=THREE, overlapping=True, sigmoid=True))
    assert [(each["value"], each["pixels"]) for each in found["classes"]] == [(1, 2), (2, 2)]
    assert pixels(found["overlay"])[0].tolist() == [[0, 0, 0, 0], [200, 0, 0, 255], [100, 50, 0, 255], [0, 100, 0, 255]]


def test_pixels_that_touch_at_a_corner_are_one_part():
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 1]], np.uint8)
    assert describe(np.zeros((2, 4, 1), np.uint8), mask, card())["classes"][0]["components"] == 2


def test_large_pictures_are_shown_smaller_but_the_mask_is_not():
    mask = np.zeros((10, 2 * LARGEST), np.uint8)
    mask[:, :100] = 1
    found = describe(np.full((*mask.shape, 3), 77, np.uint8), mask, card())
    assert pixels(found["mask"]).shape == mask.shape
    assert pixels(found["overlay"]).shape == (5, LARGEST, 4)
    assert pixels(found["picture"]).shape == (5, LARGEST, 3)
    assert pixels(found["picture"])[0, 0].tolist() == [77, 77, 77]


def test_deep_and_grey_images_are_shown_too():
    image = np.linspace(0, 4095, 64).reshape(8, 8, 1).astype(np.uint16)
    shown = pixels(describe(image, np.zeros((8, 8), np.uint8), card(channels=1))["picture"])
    assert shown[0, 0].max() < 10
    assert shown[7, 7].min() > 245
