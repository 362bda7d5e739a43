"""The headers of DICOM files, through pydicom: what there is in a folder, without decoding any pixels."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import ModuleType
from typing import Any

import numpy as np

from seglib.errors import SegError
from seglib.io.archive import DAMAGE, read_bytes
from seglib.io.sample import Modality

MODALITIES: dict[str, Modality] = {"CT": "ct", "MR": "mri", "PT": "pet"}
MASKS = ("RTSTRUCT", "SEG")
IMAGE_TAGS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "PatientID",
    "SeriesDescription",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "NumberOfFrames",
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "SliceThickness",
)
PLACE_TAGS = ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient")
MASK_TAGS = ("ReferencedFrameOfReferenceSequence", "ReferencedSeriesSequence", "SegmentSequence")
BROKEN = (*DAMAGE, KeyError, AttributeError, TypeError)
"""What pydicom and its decoders raise on a file that they cannot read."""


@dataclass(frozen=True)
class Header:
    """What stands before the pixels of a file, and the folders that lead to it."""

    file: Traversable
    folder: tuple[str, ...]
    tags: Any
    """By keyword: a data set for masks, and for images, of which there are many, a plain mapping."""

    def text(self, tag: str) -> str:
        """A tag as text, empty where there is none."""
        return str(self.tags.get(tag) or "").strip()

    def number(self, tag: str, default: float) -> float:
        """A tag's one number.

        Raises SegError where it is none.
        """
        try:
            number = float(self.tags.get(tag) or default)
        except BROKEN as error:
            raise SegError(f"{self.file}: {tag} is no number ({error}); export the series again") from None
        if not math.isfinite(number):
            raise SegError(f"{self.file}: {tag} is {number}; export the series again")
        return number

    def numbers(self, tag: str, length: int) -> np.ndarray:
        """A tag's numbers.

        Raises SegError where they are not there.
        """
        values = np.array(self.tags.get(tag) or (), np.float64)
        if len(values) != length or not np.isfinite(values).all():
            raise SegError(f"{self.file}: has no usable {tag}; export the series again with its geometry")
        return values


def pydicom_module() -> ModuleType:
    """Import pydicom, told to take values that are longer than the standard allows, for scanners write them."""
    import pydicom
    import pydicom.config

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    return pydicom


def read_headers(root: Traversable) -> list[Header]:
    """The headers of all images and masks below a folder, sorted by path; other files are passed over.

    Raises SegError where a file calls itself DICOM and cannot be read.
    """
    headers = (read_header(file, folder) for file, folder in walk(root))
    return [header for header in headers if header and header.text("Modality") in (*MODALITIES, *MASKS)]


def walk(root: Traversable, folder: tuple[str, ...] = ()) -> Iterator[tuple[Traversable, tuple[str, ...]]]:
    """Every file below a folder with the names of the folders that lead to it, sorted."""
    for child in sorted(root.iterdir(), key=lambda child: child.name):
        if child.name.startswith((".", "__MACOSX")) or child.name in ("Thumbs.db", "DICOMDIR"):
            continue
        if child.is_dir():
            yield from walk(child, (*folder, child.name))
        else:
            yield child, folder


def read_dataset(file: Traversable) -> Any:
    """Read a DICOM file whole.

    Raises SegError where it is damaged.
    """
    try:
        return pydicom_module().dcmread(io.BytesIO(read_bytes(file)), force=True)
    except BROKEN as error:
        raise _unreadable(file, error) from None


def read_header(file: Traversable, folder: tuple[str, ...]) -> Header | None:
    """The header of any DICOM file; None where it is none.

    Raises SegError where a file calls itself DICOM and cannot be read.
    """
    pydicom = pydicom_module()
    try:
        with file.open("rb") as content:
            marked = content.read(132)[128:] == b"DICM"
            if not marked and not file.name.lower().endswith(".dcm"):
                return None
            content.seek(0)
            tags = [*IMAGE_TAGS, *PLACE_TAGS, *MASK_TAGS]
            dataset = pydicom.dcmread(content, force=True, stop_before_pixels=True, specific_tags=tags)
        if not marked and "SOPClassUID" not in dataset:
            raise ValueError("nothing in it is DICOM")
        known = {tag: dataset.get(tag) for tag in IMAGE_TAGS}  # decoded only here, where damage is told
        return Header(file, folder, known | _places(dataset) if known["Modality"] in MODALITIES else dataset)
    except (*BROKEN, pydicom.errors.BytesLengthException) as error:
        raise _unreadable(file, error) from None


def _places(dataset: Any) -> dict[str, tuple[float, ...]]:
    """An image's numbers as plain values."""
    return {tag: tuple(float(value) for value in dataset.get(tag) or ()) for tag in PLACE_TAGS}


def _unreadable(file: Traversable, error: Exception) -> SegError:
    return SegError(f"{file}: not a readable DICOM file ({error}); export or fetch it again")
