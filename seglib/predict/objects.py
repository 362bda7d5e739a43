"""How many objects a class shows, counted in bands of rows, so that no image of labels is ever held whole."""

from itertools import product

import numpy as np
from scipy.ndimage import label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

BAND = 1 << 24
"""Pixels of a band: 64 MiB of labels."""


def count_objects(plane: np.ndarray) -> int:
    """Count what hangs together over sides, edges and corners of a map, bool of two or three axes."""
    rows, structure = max(1, BAND // plane[0].size), np.ones([3] * plane.ndim)
    total, last, joined = 0, np.zeros(plane.shape[1:], np.int64), [np.zeros((0, 2), np.int64)]
    for start in range(0, len(plane), rows):
        labels, number = label(plane[start : start + rows], structure)  # pyright: ignore[reportGeneralTypeIssues]
        joined.append(_touching(last, _numbered(labels[0], total)))
        last = _numbered(labels[-1], total)
        total += number
    pairs = np.concatenate(joined) - 1
    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
    return connected_components(graph, directed=False, return_labels=False) if total else 0


def _numbered(labels: np.ndarray, before: int) -> np.ndarray:
    """Labels of one row behind those of the bands before; 0 stays 0."""
    return np.where(labels > 0, labels.astype(np.int64) + before, 0)


def _touching(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Pairs of the labels that meet where one row lies on the other, int64 [pairs, 2]."""
    around, pairs = np.pad(upper, 1), []
    for shifts in product(range(3), repeat=upper.ndim):
        near = around[tuple(slice(shift, shift + side) for shift, side in zip(shifts, upper.shape, strict=True))]
        both = (near > 0) & (lower > 0)
        pairs.append(np.stack([near[both], lower[both]], 1))
    return np.unique(np.concatenate(pairs), axis=0)
