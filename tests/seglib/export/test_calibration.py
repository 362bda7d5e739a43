"""Which images are calibrated on, and what of them."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.export.calibration import calibration_images
from tests.model_cards import card

NAMES = st.lists(st.text(min_size=1, max_size=4), min_size=2, max_size=12, unique=True)


def cached(names, *space):
    """Images whose every value is their place in the list."""
    return {name: {"image": torch.full((3, *space), i, dtype=torch.uint8)} for i, name in enumerate(names)}


def seen(names, cache, number):
    return [int(image.flat[0]) for image in calibration_images(cache, names, card(), number)]


@given(NAMES, st.randoms())
def test_the_choice_depends_on_the_names_alone(names, random):
    cache, shuffled = cached(names, 4, 5), list(names)
    random.shuffle(shuffled)
    assert seen(names, cache, 3) == seen(shuffled, cache, 3)


@given(NAMES, st.integers(1, 12))
def test_more_images_are_the_same_and_others(names, number):
    cache = cached(names, 4, 5)
    all_of_them = seen(names, cache, len(names))
    assert sorted(all_of_them) == list(range(len(names)))
    assert seen(names, cache, number) == all_of_them[:number]


def test_images_are_whole_copies_where_training_takes_them_whole():
    cache = cached(["a"], 6, 8)
    (image,) = calibration_images(cache, ["a"], card(image_size=16), 9)
    assert (image.shape, image.dtype) == ((3, 6, 8), np.uint8)
    image[:] = 77
    assert not cache["a"]["image"].any()


def test_windows_are_those_of_training_and_lie_in_the_middle():
    own = card(image_size=8, resize="native")
    whole = torch.arange(3 * 13 * 16).reshape(3, 13, 16).to(torch.int16)
    (window,) = calibration_images({"a": {"image": whole}}, ["a"], own, 1)
    np.testing.assert_array_equal(window, whole[:, 2:10, 4:12].numpy())
    small = torch.ones(3, 3, 16, dtype=torch.int16)
    (window,) = calibration_images({"a": {"image": small}}, ["a"], own, 1)
    assert window.shape == (3, 3, 8)
