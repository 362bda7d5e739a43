"""Test-time augmentation: the image is mirrored, turned and resized, what is found is brought back and averaged.

Every symmetry is seen once and none is drawn at random, so the result is deterministic.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np
from torch import Tensor

from seglib.io.resize import Geometry

Maps = TypeVar("Maps", Tensor, np.ndarray)


@dataclass(frozen=True)
class View:
    """A symmetry of the grid: quarter turns in the plane of the last two axes, then mirrored axes."""

    turns: int
    mirrored: tuple[int, ...]
    """Counted from the last axis, which is -1."""

    def apply(self, images: Tensor) -> Tensor:
        """What the network sees of images [..., *space]."""
        return images.rot90(self.turns, (-2, -1)).flip(self.mirrored)

    def undo(self, maps: Tensor) -> Tensor:
        """Bring maps [..., *space] of what was seen back."""
        return maps.flip(self.mirrored).rot90(-self.turns, (-2, -1))


def views(dims: int, *, flips: bool, rotations: bool) -> list[View]:
    """Every symmetry that is asked for, once, the image as it is first.

    Flips: all combinations of the axes. With rotations as well it is the group that both generate: in the
    plane the 8 symmetries of a square, where turns and flips of one axis make up those of the other.
    """
    axes = [axis for axis in range(-dims, 0) if not (rotations and axis == -2)] if flips else []
    mirrored = [chosen for number in range(len(axes) + 1) for chosen in combinations(axes, number)]
    return [View(turns, chosen) for turns in range(4 if rotations else 1) for chosen in mirrored]


def scaled(shape: Geometry, factor: float) -> Geometry:
    """From the image's own shape to `factor` times the shape in which the network was trained to see it."""
    content, canvas = (tuple(max(1, round(side * factor)) for side in sides) for sides in (shape.content, shape.canvas))
    return Geometry(shape.native, content, canvas)


def mean(maps: Iterable[Maps]) -> Maps:
    """The mean of maps of equal shape, which are held one at a time; that of one map is that map."""
    rest = iter(maps)
    total, number = next(rest), 1
    for number, more in enumerate(rest, 2):  # noqa: B007  (the last one counts)
        total = total + more
    return total / number
