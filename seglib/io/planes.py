"""The classes of a mask one by one, whether they exclude each other or overlap."""

from collections.abc import Iterator

import numpy as np

from seglib.io.sample import IGNORE


def class_planes(mask: np.ndarray, classes: int, *, overlapping: bool) -> Iterator[np.ndarray]:
    """The pixels of each class in turn, bool of the mask's shape; ignored ones belong to none."""
    counts = mask != IGNORE
    for index in range(classes):
        if index and overlapping:
            yield (mask & (1 << (index - 1)) > 0) & counts
        else:
            yield mask == index


def merge_planes(planes: np.ndarray) -> np.ndarray:
    """Mask values of overlapping classes from bool [classes - 1, *shape], without the background."""
    bits = (1 << np.arange(len(planes), dtype=np.uint8)).reshape(-1, *[1] * (planes.ndim - 1))
    return (planes * bits).sum(0, dtype=np.uint8)
