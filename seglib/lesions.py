"""Objects found, missed and invented: connected components of the truth and of the prediction.

Pixels that touch at a side, an edge or a corner belong to one object (8 neighbours in a plane, 26 in a volume). An
object of the truth is found where at least one pixel of it is predicted; an object of the prediction is false where
it covers no pixel of the truth.
"""

from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import label


class Lesions(NamedTuple):
    """Objects of one class in one case."""

    lesions: int
    lesions_found: int
    lesions_guessed: int
    lesions_false: int


def compare_lesions(truth: np.ndarray, guess: np.ndarray) -> Lesions:
    """Count the objects of two maps, bool of one shape with two or three axes."""
    (objects, number), (guesses, guessed) = _components(truth), _components(guess)
    both = truth & guess
    return Lesions(number, _distinct(objects[both]), guessed, guessed - _distinct(guesses[both]))


def _components(plane: np.ndarray) -> tuple[np.ndarray, int]:
    """The number of each pixel's object, from 1, and how many objects there are."""
    if plane.ndim == 2:
        number, objects = cv2.connectedComponents(np.ascontiguousarray(plane).view(np.uint8), connectivity=8)
        return objects, number - 1
    objects, number = label(plane, np.ones([3] * plane.ndim))  # pyright: ignore[reportGeneralTypeIssues]
    return objects, number


def _distinct(numbers: np.ndarray) -> int:
    return int(np.count_nonzero(np.bincount(numbers)))
