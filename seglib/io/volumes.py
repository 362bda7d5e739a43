"""Volumes as samples: whole, or slice by slice along an axis."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import local
from typing import Literal

import numpy as np

from seglib.errors import SegError, listing
from seglib.io.sample import Fact, Sample, Side

Take = Literal["axial", "coronal", "sagittal", "volume"]
"""How samples are taken of a volume: slices along an axis, or the whole."""
AXES = {"axial": 0, "coronal": 1, "sagittal": 2}
TOLERANCE = 1e-3
"""Millimetres by which the grids of an image and its mask may differ."""
LONGEST_SIDE = 32767
"""Voxels along an axis, as NIfTI has it."""


class _Recent(local):
    """The volume that a thread read last: slices of one volume are asked for one after the other."""

    known: "tuple[Volume, np.ndarray, np.ndarray] | None" = None


_recent = _Recent()


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of a volume lie: its shape, and the affine from their indices to millimetres.

    The millimetres run to the patient's right, front and head.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between neighbouring voxels along each axis."""
        z, y, x = (round(float(side), 6) for side in np.linalg.norm(self.affine[:3, :3], axis=0))
        return z, y, x

    def check(self, other: "Grid", here: object, there: object) -> None:
        """Raise SegError that names both where the other grid is not the same."""
        if self.shape != other.shape:
            raise SegError(
                f"{here} has {self.shape} voxels, {there} {other.shape} (from feet to head, front to back, "
                "left to right); both must have the same grid"
            )
        apart = float(np.abs(self.affine - other.affine).max())
        if not apart <= TOLERANCE:
            raise SegError(
                f"{here} and {there} have the same shape, but not the same place, spacing or orientation: their "
                f"affines differ by {apart:.4g}; save the mask on the grid of its image"
            )


@dataclass(frozen=True, eq=False)
class Arrangement:
    """How a stored array is turned into the arrangement of Volume: its axes in a new order, some of them flipped."""

    order: tuple[int, ...]
    flips: tuple[bool, ...]
    grid: Grid

    @classmethod
    def of(cls, shape: tuple[int, ...], affine: np.ndarray, where: object) -> "Arrangement":
        """Find it for an array of that shape; oblique axes go to the nearest.

        `affine` leads from its indices to millimetres to the right, front and head. Raises SegError
        where that is none, or the shape is no volume's.
        """
        from nibabel.orientations import io_orientation

        if not all(1 <= side <= LONGEST_SIDE for side in shape):
            raise SegError(
                f"{where}: its header says {tuple(map(int, shape))} voxels; each side must have 1 to {LONGEST_SIDE:,}; "
                "save it again from a viewer"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            directions = io_orientation(affine) if np.isfinite(affine).all() else np.full((3, 2), np.nan)
        if np.isnan(directions).any():
            raise SegError(f"{where}: its header says nothing sensible on the orientation; save it again from a viewer")
        ends = [int(end) for end in directions[:, 0]]
        order = (ends.index(2), ends.index(1), ends.index(0))
        flips = tuple(directions[axis, 1] != wanted for axis, wanted in zip(order, (1, -1, 1), strict=True))
        back = np.zeros((4, 4))
        back[3, 3] = 1
        for new, (axis, flip) in enumerate(zip(order, flips, strict=True)):
            back[axis, new] = -1 if flip else 1
            back[axis, 3] = shape[axis] - 1 if flip else 0
        depth, height, width = (shape[axis] for axis in order)
        return cls(order, flips, Grid((depth, height, width), affine @ back))

    def apply(self, stored: np.ndarray) -> np.ndarray:
        """Arrange an array; what lies behind its three axes stays behind them."""
        moved = stored.transpose(*self.order, *range(3, stored.ndim))
        return np.ascontiguousarray(moved[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)])


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume with its mask, read only when called for.

    Arranged as [from feet to head, from front to back, from the patient's left to right], so that each
    axial slice stands upright. `image()` gives [depth, height, width, channels], `mask()` uint8 [depth,
    height, width]; `shape` and `spacing` (mm) are in that order.
    """

    id: str
    group: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    image: Callable[[], np.ndarray]
    mask: Callable[[], np.ndarray]
    fingerprint: Callable[[], str]
    side: Side | None = None
    source: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def samples(self, take: Take) -> list[Sample]:
        """The volume as one sample, or one sample a slice, all of them in the group of the volume."""
        if take == "volume":
            return [self._sample(self.id, self.spacing, lambda pixels: pixels)]
        spacing = slice_spacing(self.spacing, take)
        return [
            self._sample(f"{self.id}-{take}-{i:04d}", spacing, partial(_slice, take=take, number=i))
            for i in range(self.shape[AXES[take]])
        ]

    def _sample(self, name: str, spacing: tuple[float, ...], part: Callable[[np.ndarray], np.ndarray]) -> Sample:
        return Sample(
            id=name,
            group=self.group,
            image=lambda: part(self._read()[0]),
            mask=lambda: part(self._read()[1]),
            fingerprint=lambda: self._fingerprint,
            spacing=spacing,
            volume=self.id,
            whole=lambda: self._read()[0],
            side=self.side,
            source=self.source,
            facts=self.facts,
        )

    @cached_property
    def _fingerprint(self) -> str:
        """Of the whole volume, and so the same for all its slices: its files are hashed once."""
        return self.fingerprint()

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        if (known := _recent.known) and known[0] is self:
            return known[1:]
        image, mask = self.image(), self.mask()
        if not image.shape[:3] == mask.shape == self.shape:
            raise SegError(
                f"volume '{self.id}': the image has {image.shape[:3]} voxels, its mask {mask.shape}, "
                f"its header says {self.shape}; all must agree"
            )
        _recent.known = self, image, mask
        return image, mask


def narrowed(values: np.ndarray, where: object) -> np.ndarray:
    """The values in a type that a sample may have: int16 where nothing is lost by it, else float32.

    uint8, uint16, int16 and float32 stay as they are; what is too large for float32 becomes infinite. Raises
    SegError where they are colours or complex.
    """
    if str(values.dtype) in ("uint8", "uint16", "int16", "float32"):
        return values
    if values.dtype.kind not in "buif":
        raise SegError(f"{where}: holds {values.dtype} voxels, colours or complex numbers; save one number a voxel")
    if values.size and values.min() >= -(1 << 15) and values.max() < 1 << 15:
        short = values.astype(np.int16)
        if values.dtype.kind != "f" or np.array_equal(short, values):
            return short
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def scan_values(values: np.ndarray, where: object) -> np.ndarray:
    """As `narrowed`, but bytes as int16: what a scanner measured is no picture, whatever type its file has.

    The files of one data set often differ in type, and are to be windowed alike.
    """
    return narrowed(values.astype(np.int16) if values.dtype == np.uint8 else values, where)


def labels_only(values: np.ndarray, where: object) -> np.ndarray:
    """The values of a mask as uint8.

    Raises SegError where one of them is no whole number from 0 to 255.
    """
    if values.dtype.kind not in "buif":
        raise SegError(f"{where}: the mask holds {values.dtype} voxels; save whole numbers from 0 to 255")
    with np.errstate(invalid="ignore"):
        labels = values.astype(np.uint8)
    if (odd := labels != values).any():
        raise SegError(
            f"{where}: mask values {listing(np.unique(values[odd])[:5])}; "
            "save whole numbers from 0 to 255, without interpolation"
        )
    return labels


def upright_slices(pixels: np.ndarray, take: Take) -> np.ndarray:
    """A view [slices, rows, columns, ...] of a volume [depth, height, width, ...], in which the head is up."""
    slices = np.moveaxis(pixels, AXES[take], 0)
    return slices if take == "axial" else slices[:, ::-1]


def slice_spacing(spacing: tuple[float, ...], take: Take) -> tuple[float, ...]:
    """Extent of a slice's pixel along its rows and columns, from that of the volume's voxel."""
    return tuple(side for axis, side in enumerate(spacing) if axis != AXES[take])


def _slice(pixels: np.ndarray, take: Take, number: int) -> np.ndarray:
    return np.ascontiguousarray(upright_slices(pixels, take)[number])
