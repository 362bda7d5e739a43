"""Small objects removed from a predicted mask, small holes filled.

An object is what hangs together over faces, edges and corners, of one class; removed, it becomes
background. A hole hangs together over faces alone (the dual connectivity: Rosenfeld and Pfaltz, 1966); it
is background that touches a single class and not the border, and takes that class. Where classes overlap,
each is looked at for itself, and all that is not of the class is its background.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from seglib.head import Head
from seglib.io.planes import class_planes, merge_planes


@dataclass(frozen=True)
class Changes:
    """What became of one mask."""

    objects: int = 0
    """Removed."""
    pixels_removed: int = 0
    """Of these objects."""
    holes: int = 0
    """Filled."""
    pixels_filled: int = 0
    """Of these holes."""


def clean(mask: np.ndarray, head: Head, min_pixels: int, fill_holes: int) -> tuple[np.ndarray, Changes]:
    """Remove objects of fewer than `min_pixels`, then fill holes of fewer than `fill_holes` pixels.

    `mask`: mask values, uint8 [*shape], without ignored pixels; it is left as it is.
    """
    if not (min_pixels or fill_holes):
        return mask, Changes()
    if head.overlapping:
        layers = [plane.astype(np.uint8) for plane in class_planes(mask, head.classes, overlapping=True)][1:]
    else:
        layers = [mask.copy()]
    pixels = _foreground(layers)
    objects = sum(_remove_objects(layer, min_pixels) for layer in layers)
    kept = _foreground(layers)
    holes = sum(_fill_holes(layer, fill_holes) for layer in layers)
    changes = Changes(objects, pixels - kept, holes, _foreground(layers) - kept)
    return merge_planes(np.stack(layers) > 0) if head.overlapping else layers[0], changes


def _foreground(layers: Sequence[np.ndarray]) -> int:
    return sum(int(np.count_nonzero(layer)) for layer in layers)


def _remove_objects(layer: np.ndarray, least: int) -> int:
    """Set the small objects of every class to 0, in place; returns their number."""
    removed = 0
    for value in np.unique(layer[layer > 0]):
        labels = _components(layer == value, layer.ndim)
        small = np.bincount(labels.ravel()) < least
        small[0] = False
        layer[small[labels]] = 0
        removed += int(small.sum())
    return removed


def _fill_holes(layer: np.ndarray, least: int) -> int:
    """Give the small holes their class, in place; returns their number."""
    labels = _components(layer == 0, 1)
    pixels, filled = np.bincount(labels.ravel()), 0
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        if pixels[label] >= least or _at_border(box, layer.shape):
            continue
        around = tuple(slice(side.start - 1, side.stop + 1) for side in box)
        hole = labels[around] == label
        touched = np.unique(layer[around][ndimage.binary_dilation(hole) & ~hole])
        if len(touched) == 1:
            layer[around][hole] = touched[0]
            filled += 1
    return filled


def _components(plane: np.ndarray, steps: int) -> np.ndarray:
    """The number of each pixel's component, from 1; neighbours differ by one pixel along at most `steps` axes."""
    labels, _ = ndimage.label(plane, ndimage.generate_binary_structure(plane.ndim, steps))  # pyright: ignore[reportGeneralTypeIssues]
    return labels


def _at_border(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    return any(side.start == 0 or side.stop == most for side, most in zip(box, shape, strict=True))
