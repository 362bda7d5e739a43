"""DICOM series of CT, MR and PET images in, through pydicom."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable

import numpy as np

from seglib.errors import SegError, listing
from seglib.io.dicom_headers import BROKEN, MODALITIES, Header, read_dataset
from seglib.io.sample import Modality
from seglib.io.volumes import Arrangement, narrowed

RESCALE = (("RescaleSlope", 1), ("RescaleIntercept", 0))
UNEVEN = 0.05
"""Share of the spacing by which slices may lie away from where they should: headers are rounded."""
TILT = 1e-3
"""How far the directions of rows and columns may differ within a series."""
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Series:
    """The images of one series, in no order yet."""

    uid: str
    headers: Sequence[Header]

    @property
    def first(self) -> Header:
        """The header of its first file, for what all have in common."""
        return self.headers[0]

    @property
    def modality(self) -> Modality:
        """What kind of scanner made it."""
        return MODALITIES[self.first.text("Modality")]

    @cached_property
    def images(self) -> frozenset[str]:
        """The SOP instance UIDs of its images."""
        return frozenset(header.text("SOPInstanceUID") for header in self.headers)

    def __str__(self) -> str:
        named = self.first.text("SeriesDescription")
        return f"{'/'.join(self.first.folder) or self.first.file} (series {self.uid}{named and f', {named}'})"

    @cached_property
    def stack(self) -> "Stack":
        """Its slices in order.

        Raises SegError that names the series where slices are missing, double or do not fit each other.
        """
        return _stacked(self)


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in the order of their positions: voxels are [slice, row, column] as stored."""

    series: Series
    headers: Sequence[Header]
    affine: np.ndarray
    """From indices to millimetres to the right, front and head."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        rows, columns = (int(self.headers[0].number(tag, 0)) for tag in ("Rows", "Columns"))
        return len(self.headers), rows, columns

    @cached_property
    def arrangement(self) -> Arrangement:
        """How it is turned into the arrangement of Volume."""
        return Arrangement.of(self.shape, self.affine, self.series)

    def read_image(self) -> np.ndarray:
        """Decode it, arranged as Volume is: [depth, height, width, 1], in the units of its rescale slope.

        int16 where nothing is lost by it, as with Hounsfield units, else float32. Raises SegError where
        a slice cannot be decoded.
        """
        voxels = np.stack([_rescaled(header.file) for header in self.headers])
        if voxels.shape != self.shape:
            raise SegError(f"{self.series}: holds {voxels.shape} voxels, its headers say {self.shape}")
        return self.arrangement.apply(narrowed(voxels, self.series))[..., None]


def group_series(headers: Sequence[Header]) -> list[Series]:
    """The image series among the files, sorted by UID."""
    groups: defaultdict[str, list[Header]] = defaultdict(list)
    for header in headers:
        if header.text("Modality") in MODALITIES:
            groups[header.text("SeriesInstanceUID")].append(header)
    return [Series(uid, groups[uid]) for uid in sorted(groups)]


def _stacked(series: Series) -> Stack:
    for header in series.headers:
        if any(header.number(tag, 1) != 1 for tag in ("NumberOfFrames", "SamplesPerPixel")):
            raise SegError(f"{header.file}: holds several frames or colours; export one grey slice a file")
    sizes = Counter(tuple(int(header.number(tag, 0)) for tag in ("Rows", "Columns")) for header in series.headers)
    if len(sizes) > 1 or 0 in next(iter(sizes)):
        raise SegError(f"{series}: slices of several sizes ({listing(sizes)} rows and columns); keep those of one")
    rows, columns = _directions(series)
    normal = np.cross(rows, columns)
    corners = np.array([header.numbers("ImagePositionPatient", 3) for header in series.headers])
    places = corners @ normal
    order = np.argsort(places, kind="stable")
    headers, corners, places = [series.headers[int(i)] for i in order], corners[order], places[order]
    step = _step(series, headers, corners, places, normal)
    down, right = headers[0].numbers("PixelSpacing", 2)
    affine = np.eye(4)
    affine[:3] = LPS_TO_RAS @ np.column_stack([step, columns * down, rows * right, corners[0]])
    return Stack(series, headers, affine)


def _directions(series: Series) -> tuple[np.ndarray, np.ndarray]:
    found = np.array([header.numbers("ImageOrientationPatient", 6) for header in series.headers])
    spacings = np.array([header.numbers("PixelSpacing", 2) for header in series.headers])
    if np.ptp(found, axis=0).max() > TILT or np.ptp(spacings, axis=0).max() > TILT:
        raise SegError(f"{series}: slices of several orientations or pixel spacings; is it a localizer? Remove it")
    return found[0, :3], found[0, 3:]


def _step(
    series: Series, headers: Sequence[Header], corners: np.ndarray, places: np.ndarray, normal: np.ndarray
) -> np.ndarray:
    """From one slice to the next, in mm."""
    if len(headers) == 1:
        return normal * headers[0].number("SliceThickness", 1)
    gaps = np.diff(places)
    usual = float(np.median(gaps))
    if (double := np.flatnonzero(gaps < UNEVEN * max(usual, UNEVEN))).size:
        one, other = (headers[double[0] + i].file for i in (0, 1))
        raise SegError(f"{series}: {len(double)} slices lie where another lies, as {one} and {other}; remove one")
    if (uneven := np.flatnonzero(np.abs(gaps - usual) > UNEVEN * usual)).size:
        one, other = (headers[uneven[0] + i].file for i in (0, 1))
        raise SegError(
            f"{series}: slices are {usual:.4g} mm apart, but {one} and {other} {gaps[uneven[0]]:.4g} mm; "
            "slices are missing, or several stacks are in one series"
        )
    step = (corners[-1] - corners[0]) / (len(headers) - 1)
    if np.linalg.norm(step - normal * (step @ normal)) > UNEVEN * usual:
        raise SegError(f"{series}: slices are shifted against each other, as with a tilted gantry; resample it first")
    return step


def _rescaled(file: Traversable) -> np.ndarray:
    """The values of a slice in its units: whole numbers where slope and intercept are."""
    dataset = read_dataset(file)
    try:
        stored = dataset.pixel_array
    except BROKEN as error:
        syntax = getattr(getattr(dataset.file_meta, "TransferSyntaxUID", None), "name", "unknown")
        reason = " ".join(str(error).split())
        raise SegError(
            f"{file}: its pixels ({syntax}) cannot be decoded ({reason}); where they are compressed, "
            "`pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg`, or export them uncompressed"
        ) from None
    slope, intercept = (Header(file, (), dataset).number(tag, default) for tag, default in RESCALE)
    if slope.is_integer() and intercept.is_integer() and stored.dtype.kind in "iu":
        return stored.astype(np.int32) * int(slope) + int(intercept)
    return (stored * slope + intercept).astype(np.float32)
