"""From the values or colours that mask files hold to class indices."""

from collections.abc import Mapping
from importlib.resources.abc import Traversable

import numpy as np

from seglib.errors import SegError, listing
from seglib.io.sample import IGNORE

UNDECLARED = IGNORE - 1
JPEG_THRESHOLD = 127
"""Grey value above which a pixel of a JPEG mask is foreground."""


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
            f"({share:.2%} of the pixels); declared: {listing(sorted(mapping), 20)}. {_advice(values, mapping)}"
        )
    return indices


def _advice(values: np.ndarray, mapping: Mapping[int, int]) -> str:
    """What to do; a mask of two values that declares the other way to write them is the usual mistake."""
    found = set(np.unique(values).tolist())
    if found <= {0, 255} and 255 not in mapping:
        return "The mask holds 0 and 255; declare value: 255 for the foreground"
    if found <= {0, 1} and 1 not in mapping and 255 in mapping:
        return "The mask holds 0 and 1, but 255 is declared; declare value: 1 for the foreground"
    return "Declare them, or save the mask without lossy compression"


def colour_indices(pixels: np.ndarray, mapping: Mapping[tuple[int, ...], int], where: object) -> np.ndarray:
    """Map the uint8 RGB colours of a mask [height, width, 3] to class indices, uint8 [height, width].

    Raises SegError that names the colours outside `mapping`.
    """
    codes = _codes(pixels)
    indices = np.full(codes.shape, UNDECLARED, np.uint8)
    for colour, index in mapping.items():
        indices[codes == _codes(np.array(colour))] = index
    if (indices == UNDECLARED).any():
        found = np.unique(pixels[indices == UNDECLARED], axis=0).tolist()
        raise SegError(
            f"{where}: mask colours outside the declared classes: {listing(found, 8)} "
            f"({float((indices == UNDECLARED).mean()):.2%} of the pixels); "
            f"declared: {listing(map(list, mapping), 20)}. "
            "Declare them, or save the mask without lossy compression"
        )
    return indices


def covered(values: np.ndarray, where: Traversable) -> np.ndarray:
    """Where the mask of one class covers: non-zero, in a JPEG above 127 for its edges are blurred; bool.

    Raises SegError where a file that is no JPEG holds more than one value besides 0.
    """
    if where.name.lower().endswith((".jpg", ".jpeg")):
        return values > JPEG_THRESHOLD
    found = np.unique(values[values > 0]).tolist()
    if len(found) > 1:
        raise SegError(
            f"{where}: the mask of one class holds the values {listing(found, 8)} besides 0; "
            "save 0 and one other value, without smooth edges"
        )
    return values > 0


def stacked(
    planes: Mapping[int, np.ndarray], shape: tuple[int, ...], where: object, *, overlapping: bool
) -> np.ndarray:
    """One mask, uint8, of where each class index covers: bits where classes overlap, else the later class wins.

    What `IGNORE` covers is ignored. Raises SegError where the planes have another shape.
    """
    mask = np.zeros(shape, np.uint8)
    for index, plane in planes.items():
        if plane.shape != shape:
            raise SegError(
                f"{where}: masks of {shape} and of {plane.shape} pixels; all must have the size of the image"
            )
        if overlapping and index != IGNORE:
            mask[plane] |= np.uint8(1 << (index - 1))
        else:
            mask[plane] = index
    if IGNORE in planes:
        mask[planes[IGNORE]] = IGNORE
    return mask


def _codes(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.int32) * (1 << 16, 1 << 8, 1)).sum(axis=-1)
