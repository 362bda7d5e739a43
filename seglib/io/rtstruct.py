"""Contours of a DICOM RT structure set, and the voxels inside them."""

from collections import defaultdict
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np

from seglib.errors import SegError, listing
from seglib.io.dicom import LPS_TO_RAS, Stack
from seglib.io.dicom_headers import BROKEN, read_dataset

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
"""Contours with an inside; points and open lines have none."""
OFF_PLANE = 0.5
"""Share of the distance between slices by which a contour may lie off a slice."""
SLACK = 1e-4
"""Of that share, for rounded coordinates."""


def roi_names(file: Traversable) -> list[str]:
    """The names of the ROIs that have a closed contour, in the file's order.

    Raises SegError where a name stands twice.
    """
    names = [name for name, _ in _rois(file)]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise SegError(f"{file}: two ROIs are called {listing(map(repr, doubled))}; rename one of each")
    return names


def read_rois(file: Traversable, names: Sequence[str], stack: Stack) -> dict[str, np.ndarray]:
    """The voxels of those of the named ROIs that it has, arranged as Volume is: bool [depth, height, width].

    A voxel belongs to an ROI where its centre lies inside; a contour inside another of the same slice is
    a hole. Raises SegError where a contour is not on a slice of the images.
    """
    return {
        name: stack.arrangement.apply(_rasterised(contours, stack, f"{file}: ROI '{name}'"))
        for name, contours in _rois(file)
        if name in names
    }


def inside(contours: Sequence[np.ndarray], height: int, width: int) -> np.ndarray:
    """Pixels whose centre lies inside an odd number of contours: bool [height, width].

    Each contour is a closed polygon of (row, column) in pixels, whose centres are whole numbers; a centre
    on the outline counts where the inside lies below it or to its right.
    """
    toggles = np.zeros((height, width + 1), np.int64)
    for contour in contours:
        for start, end in zip(contour, np.roll(contour, -1, axis=0), strict=True):
            upper, lower = (start, end) if start[0] < end[0] else (end, start)
            rows = np.arange(max(np.ceil(upper[0]), 0), min(np.ceil(lower[0]), height))
            if rows.size:
                crossing = upper[1] + (rows - upper[0]) * ((lower[1] - upper[1]) / (lower[0] - upper[0]))
                columns = np.clip(np.ceil(crossing), 0, width)
                np.add.at(toggles, (rows.astype(np.intp), columns.astype(np.intp)), 1)
    return toggles.cumsum(axis=1)[:, :width] % 2 == 1


def _rois(file: Traversable) -> list[tuple[str, list[Any]]]:
    """Name and closed contours of each ROI that has any."""
    try:
        return _closed(read_dataset(file), file)
    except BROKEN as error:
        raise SegError(f"{file}: is no readable structure set ({error}); export it again") from None


def _closed(dataset: Any, file: Traversable) -> list[tuple[str, list[Any]]]:
    named = {
        roi.get("ROINumber"): str(roi.get("ROIName") or "").strip()
        for roi in _items(dataset, "StructureSetROISequence")
    }
    if None in named:
        raise SegError(f"{file}: ROI '{named[None]}' has no ROINumber; export the structure set again")
    found = []
    for roi in _items(dataset, "ROIContourSequence"):
        contours = [one for one in _items(roi, "ContourSequence") if _is_closed(one)]
        if not contours:
            continue
        number = roi.get("ReferencedROINumber")
        if number is None:
            raise SegError(f"{file}: contours of no ROI (no ReferencedROINumber); export the structure set again")
        found.append((named.get(number) or f"ROI {number}", contours))
    return found


def _is_closed(contour: Any) -> bool:
    """Whether it has an inside; one without points has none. The points are not decoded."""
    stored = contour.get_item("ContourData") if "ContourData" in contour else None
    return contour.get("ContourGeometricType") in CLOSED and bool(getattr(stored, "value", None))


def _points(contour: Any, where: str) -> np.ndarray:
    """Its points in the axes of the affine: [points, 3]."""
    try:
        points = np.array(contour.ContourData, np.float64).reshape(-1, 3) @ LPS_TO_RAS
    except BROKEN as error:
        raise SegError(f"{where} has a contour whose coordinates are no points ({error}); export it again") from None
    if not np.isfinite(points).all():
        raise SegError(f"{where} has a contour with infinite coordinates; export it again")
    return points


def _items(dataset: Any, sequence: str) -> Sequence[Any]:
    return dataset.get(sequence) or ()


def _rasterised(contours: Sequence[Any], stack: Stack, where: str) -> np.ndarray:
    """Voxels as the images are stored: bool [slice, row, column]."""
    depth, height, width = stack.shape
    to_index = np.linalg.inv(stack.affine)
    slices: defaultdict[int, list[np.ndarray]] = defaultdict(list)
    for contour in contours:
        places = _points(contour, where) @ to_index[:3, :3].T + to_index[:3, 3]
        number = int(np.rint(np.median(places[:, 0])))
        if not 0 <= number < depth or np.abs(places[:, 0] - number).max() > OFF_PLANE + SLACK:
            low, high = places[:, 0].min(), places[:, 0].max()
            raise SegError(
                f"{where} has a contour on slices {low:.2f} to {high:.2f} of {stack.series}, which are 0 to "
                f"{depth - 1}; it was drawn on other images, or some are missing"
            )
        slices[number].append(places[:, 1:])
    voxels = np.zeros(stack.shape, bool)
    for number, outlines in slices.items():
        voxels[number] = inside(outlines, height, width)
    return voxels
