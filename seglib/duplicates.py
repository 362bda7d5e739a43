"""Images that show the same: equal values, or nearly equal looks.

Two images are near-identical where the correlation of their grey values, as the index's 32×32
thumbnails, is high. Unlike the distance of perceptual hashes it is one number that can be looked at;
mirrored or rotated copies are not found, and a plain image is like none.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seglib.facts import Facts

BLOCK = 1024
"""Images compared with all others at a time, which bounds the memory."""


@dataclass(frozen=True)
class Pair:
    """Two samples that show the same."""

    first: str
    second: str
    correlation: float
    exact: bool


def find_pairs(samples: Sequence[Facts], threshold: float) -> list[Pair]:
    """Pairs whose correlation reaches `threshold`, by id.

    What cannot part is not compared: samples of one group, unless official lists put them on several
    sides. Equal images are found there too, but for slices of one volume.
    """
    pairs = []
    for first, second, correlation in _alike(samples, threshold):
        a, b = sorted((samples[first], samples[second]), key=lambda facts: facts["id"])
        exact = a["digest"] == b["digest"]
        apart = a["group"] != b["group"] or a["side"] != b["side"]
        if apart or (exact and not a["volume"]):
            pairs.append(Pair(a["id"], b["id"], round(correlation, 4), exact))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def clusters(pairs: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Join pairs that share a sample; sorted."""
    members: dict[str, list[str]] = {}
    for first, second in pairs:
        small, large = sorted((members.get(first, [first]), members.get(second, [second])), key=len)
        if small is not large:
            large += small
            members |= dict.fromkeys([first, second, *small], large)
    return sorted(sorted(joined) for joined in {id(names): names for names in members.values()}.values())


def _alike(samples: Sequence[Facts], threshold: float) -> Iterator[tuple[int, int, float]]:
    """Places of the pairs whose thumbnails correlate, and how much."""
    if not samples:
        return
    thumbnails = [np.frombuffer(base64.b64decode(facts["thumbnail"]), np.uint8) for facts in samples]
    looks = _standardised(np.array(thumbnails, np.float32))
    for start in range(0, len(looks), BLOCK):
        correlation = looks[start : start + BLOCK] @ looks[start:].T
        for row, column in np.argwhere(correlation >= threshold - 1e-6):
            if column > row:
                yield start + int(row), start + int(column), min(1.0, float(correlation[row, column]))


def _standardised(images: np.ndarray) -> np.ndarray:
    flat = images - images.mean(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
