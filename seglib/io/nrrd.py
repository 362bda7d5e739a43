"""NRRD and MetaImage files in, as 3D Slicer and ITK-SNAP save them; through SimpleITK."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from seglib.errors import SegError
from seglib.io.archive import DAMAGE, read_bytes
from seglib.io.volumes import Arrangement, Grid, labels_only, narrowed, scan_values

SUFFIXES = (".nrrd", ".seg.nrrd", ".mha")
HEADER_BYTES = 1 << 20
"""Headers are text, and shorter than this."""
NRRD_END = re.compile(rb"\n\r?\n")
NRRD_FILE = re.compile(rb"(?:^|[\r\n])[ \t]*data ?file[ \t]*:(?!=)", re.IGNORECASE)
META_FILE = re.compile(rb"^(.*?)ElementDataFile([^\n]*)", re.MULTILINE)
"""The line that ends a MetaImage header; what ITK takes for it is told by its name alone, wherever that stands."""
META_LOCAL = re.compile(rb"[ \t]*=[ \t]*local[ \t\r]*", re.IGNORECASE)
META_AXES = re.compile(rb"[ \t]*NDims[ \t]*=[ \t]*[1-9][ \t\r]*")
"""ITK writes beyond its own memory where a header says more axes, or fewer than one."""
TO_RIGHT_FRONT_HEAD = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From millimetres to the left, back and head, as ITK has them."""
ROWS_DOWN = np.diag([1.0, -1.0, 1.0, 1.0])
"""A picture has no patient: its rows run from front to back, its columns from left to right."""


@dataclass(frozen=True)
class Header:
    """What a file's header says of it, arranged as Volume is."""

    arrangement: Arrangement
    channels: int
    flat: bool
    """Whether it is a picture of two axes."""

    @property
    def grid(self) -> Grid:
        """Where the voxels lie."""
        return self.arrangement.grid


def read_header(file: Traversable) -> Header:
    """Read the first bytes only.

    Raises SegError where they are no header of a volume, or the voxels lie in another file.
    """
    try:
        with file.open("rb") as content:
            start = content.read(HEADER_BYTES)
    except DAMAGE as error:
        raise SegError(f"{file}: cannot be read ({error}); replace it, or fetch its archive again") from None
    with _reader(start, file) as reader:
        return Header(_arrangement(reader, file), reader.GetNumberOfComponents(), reader.GetDimension() == 2)


def read_image(file: Traversable) -> np.ndarray:
    """Read an image, arranged as Volume is: [depth, height, width, channels].

    uint8, int16, uint16 or float32; other types become int16 where nothing is lost by it, else float32.
    Raises SegError where the file is unreadable.
    """
    return narrowed(_voxels(file), file)


def read_scan(file: Traversable) -> np.ndarray:
    """Read an image that a scanner measured: as `read_image`, but bytes become int16."""
    return scan_values(_voxels(file), file)


def read_labels(file: Traversable) -> np.ndarray:
    """Read a mask, arranged as Volume is: uint8 [depth, height, width], of the values in the file.

    Raises SegError where the file is unreadable, its segments lie in several layers, or a value is no
    whole number from 0 to 255.
    """
    voxels = _voxels(file)
    if voxels.shape[3] != 1:
        raise SegError(
            f"{file}: the mask has {voxels.shape[3]} layers, for its segments overlap; "
            "export each segment as a labelmap of its own into masks/<class>/, or remove the overlap"
        )
    return labels_only(voxels[..., 0], file)


def _voxels(file: Traversable) -> np.ndarray:
    import SimpleITK

    with _reader(read_bytes(file), file) as reader:
        arrangement = _arrangement(reader, file)
        image = reader.Execute()
        stored = SimpleITK.GetArrayFromImage(image)
        channels, axes = reader.GetNumberOfComponents(), reader.GetDimension()
    stored = stored.reshape(*stored.shape[:axes], channels)
    if axes == 2:
        stored = stored[None]
    return arrangement.apply(stored.transpose(2, 1, 0, 3))


@contextmanager
def _reader(content: bytes, file: Traversable) -> Iterator[Any]:
    """SimpleITK reads files by path only, so it gets a temporary one."""
    import SimpleITK

    suffix = ".mha" if file.name.lower().endswith(".mha") else ".nrrd"
    if _is_detached(content[:HEADER_BYTES], suffix):
        raise SegError(f"{file}: its voxels lie in another file; save header and voxels in one")
    if suffix == ".mha" and not _has_axes(content):
        raise SegError(f"{file}: not a readable volume (NDims is not told, or makes no sense); save or fetch it again")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"volume{suffix}"
        copy.write_bytes(content)
        reader = SimpleITK.ImageFileReader()
        reader.SetFileName(str(copy))
        try:
            reader.ReadImageInformation()
            yield reader
        except RuntimeError as error:
            reason = str(error).replace(str(copy), file.name).strip().splitlines()[-1]
            raise SegError(f"{file}: not a readable volume ({reason}); save or fetch it again") from None


def _is_detached(start: bytes, suffix: str) -> bool:
    """Whether the header names another file for the voxels, which may be any file of the machine, or may yet do so."""
    line = META_FILE.search(start)
    if NRRD_FILE.search(start) or (line and (line[1] or not META_LOCAL.fullmatch(line[2]))):
        return True
    end = line if suffix == ".mha" else NRRD_END.search(start)
    return end is None and len(start) == HEADER_BYTES


def _has_axes(content: bytes) -> bool:
    """Whether a MetaImage header says how many axes there are, in lines that ITK takes as it should."""
    line = META_FILE.search(content[:HEADER_BYTES])
    header = content[: line.start() if line else HEADER_BYTES]
    lines = [line for line in header.split(b"\n") if b"NDims" in line]
    return bool(lines) and all(META_AXES.fullmatch(line) for line in lines)


def _arrangement(reader: Any, file: Traversable) -> Arrangement:
    axes = reader.GetDimension()
    if axes not in (2, 3):
        raise SegError(f"{file}: is an array of {reader.GetSize()}; a volume has three axes, a picture two")
    affine = np.eye(4)
    affine[:axes, :axes] = np.array(reader.GetDirection()).reshape(axes, axes) * np.array(reader.GetSpacing())
    affine[:axes, 3] = reader.GetOrigin()
    turned = (TO_RIGHT_FRONT_HEAD if axes == 3 else ROWS_DOWN) @ affine
    return Arrangement.of((*reader.GetSize(), 1)[:3], turned, file)
