"""From the values that a mask file holds to class indices."""

from collections.abc import Mapping

import numpy as np

from seglib.errors import SegError, listing
from seglib.io.sample import IGNORE

UNDECLARED = IGNORE - 1


def class_indices(values: np.ndarray, mapping: Mapping[int, int], where: object) -> np.ndarray:
    """Map the uint8 values of a mask to class indices, uint8 of the same shape.

    Raises SegError that names the values outside `mapping`.
    """
    table = np.full(256, UNDECLARED, np.uint8)
    for value, index in mapping.items():
        table[value] = index
    indices = table[values]
    if (indices == UNDECLARED).any():
        found = np.unique(values[indices == UNDECLARED]).tolist()
        share = float((indices == UNDECLARED).mean())
        raise SegError(
            f"{where}: mask values outside the declared classes: {listing(found, 8)} "
            f"({share:.2%} of the pixels); declared: {listing(sorted(mapping), 20)}. "
            "Declare them, or save the mask without lossy compression"
        )
    return indices
