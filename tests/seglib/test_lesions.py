from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from seglib.lesions import Lesions, compare_lesions


def plane(*rows: str) -> np.ndarray:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_objects_found_missed_and_invented():
    truth = plane("##..#..", "##.....", "......#")
    guess = plane("..#.#..", ".#.....", "..#.#..")
    assert compare_lesions(truth, guess) == Lesions(lesions=3, lesions_found=2, lesions_guessed=3, lesions_false=1)


def test_a_predicted_object_beside_the_truth_is_false():
    truth, guess = plane("##...", ".....", "....."), plane("..#..", ".....", "....#")
    assert compare_lesions(truth, guess) == Lesions(1, 0, 2, 2)


def test_one_prediction_over_two_objects_finds_both():
    truth, guess = plane("#.#"), plane("###")
    assert compare_lesions(truth, guess) == Lesions(2, 2, 1, 0)


def test_two_predictions_in_one_object_are_both_right_and_find_it_once():
    truth, guess = plane("###"), plane("#.#")
    assert compare_lesions(truth, guess) == Lesions(1, 1, 2, 0)


@pytest.mark.parametrize("shape", [(3, 3), (3, 3, 3)])
def test_empty_maps_have_no_objects(shape):
    empty, full = np.zeros(shape, bool), np.ones(shape, bool)
    assert compare_lesions(empty, empty) == Lesions(0, 0, 0, 0)
    assert compare_lesions(full, empty) == Lesions(1, 0, 0, 0)
    assert compare_lesions(empty, full) == Lesions(0, 0, 1, 1)


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 2)])
def test_pixels_that_touch_at_a_corner_are_one_object(shape):
    mask = np.zeros(shape, bool)
    mask.flat[[0, -1]] = True
    assert compare_lesions(mask, mask) == Lesions(1, 1, 1, 0)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([(7, 8), (1, 9), (3, 4, 5)]).flatmap(lambda shape: stn.arrays(bool, (2, *shape))))
def test_counts_are_those_of_flooding_from_pixel_to_pixel(masks):
    truth, guess = masks
    objects, guesses = _flooded(truth), _flooded(guess)
    assert compare_lesions(truth, guess) == Lesions(
        len(objects),
        sum(any(guess[pixel] for pixel in each) for each in objects),
        len(guesses),
        sum(not any(truth[pixel] for pixel in each) for each in guesses),
    )


def _flooded(mask: np.ndarray) -> list[set[tuple[int, ...]]]:
    left = {tuple(map(int, pixel)) for pixel in np.argwhere(mask)}
    objects = []
    while left:
        new = {left.pop()}
        found = set(new)
        while new:
            steps = product(*[(-1, 0, 1)] * mask.ndim)
            near = {tuple(np.add(pixel, step).tolist()) for step in steps for pixel in new}
            new = near & left
            left -= new
            found |= new
        objects.append(found)
    return objects
