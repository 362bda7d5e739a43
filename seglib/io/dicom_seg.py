"""DICOM segmentation objects in, through highdicom."""

import io
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np

from seglib.errors import SegError, listing
from seglib.io.archive import read_bytes
from seglib.io.dicom import LPS_TO_RAS, Stack
from seglib.io.dicom_headers import BROKEN, Header, pydicom_module
from seglib.io.volumes import TOLERANCE


def segment_names(header: Header) -> list[str]:
    """The labels of the segments, in the file's order.

    Raises SegError where a label stands twice.
    """
    names = list(_numbers(header))
    segments = header.tags.get("SegmentSequence") or ()
    if len(names) < len(segments):
        raise SegError(f"{header.file}: segments share a label ({listing(map(repr, names))}); rename them")
    return names


def read_segments(header: Header, names: Sequence[str], stack: Stack) -> dict[str, np.ndarray]:
    """The voxels of those of the named segments that it has, arranged as Volume is: bool [depth, height, width].

    Fractional segments count from one half. Raises SegError where the file is damaged, or its frames are
    not on the grid of the images.
    """
    wanted = {name: number for name, number in _numbers(header).items() if name in names}
    if not wanted:
        return {}
    voxels = _on_grid(header.file, list(wanted.values()), stack)
    return {name: stack.arrangement.apply(voxels[..., i] >= 0.5) for i, name in enumerate(wanted)}


def _numbers(header: Header) -> dict[str, int]:
    """Segment label → number."""
    segments: Sequence[Any] = header.tags.get("SegmentSequence") or ()
    return {
        str(one.get("SegmentLabel") or f"segment {one.SegmentNumber}").strip(): one.SegmentNumber for one in segments
    }


def _on_grid(file: Traversable, numbers: list[int], stack: Stack) -> np.ndarray:
    pydicom_module()
    from highdicom import VolumeGeometry
    from highdicom.seg import segread

    to_lps = np.eye(4)
    to_lps[:3, :3] = LPS_TO_RAS
    geometry = VolumeGeometry(to_lps @ stack.affine, stack.shape, "PATIENT")
    try:
        volume = segread(io.BytesIO(read_bytes(file))).get_volume(segment_numbers=numbers)
        return volume.match_geometry(geometry, tol=TOLERANCE).array
    except (*BROKEN, IndexError) as error:
        raise SegError(
            f"{file}: its segments cannot be laid on the grid of {stack.series} ({error}); "
            "save the segmentation on that grid"
        ) from None
