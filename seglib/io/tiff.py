"""What a TIFF file holds, and its bands where OpenCV cannot read them; through tifffile."""

import io
import lzma
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from seglib.errors import SegError
from seglib.io.tiff_limits import check_declared, check_pages, check_unpacked

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ALPHA = (1, 2)
"""Values of the tag ExtraSamples that mean transparency."""
ORIENTATION = 274
"""The tag of that name, in TIFF and in EXIF; 1 is upright."""
DAMAGE = (
    *(struct.error, ValueError, LookupError, TypeError, OSError, RuntimeError, ArithmeticError, AssertionError),
    *(AttributeError, MemoryError, zlib.error, lzma.LZMAError),
)
"""What tifffile raises on a damaged file besides its own error."""
WHITE_IS_ZERO, RGB, PALETTE = 0, 2, 3
GREY = (0, 1)
"""Values of the tag PhotometricInterpretation."""


@dataclass(frozen=True)
class Bands:
    """The planes of a file: how many, and how many of them without transparency."""

    number: int
    visible: int
    plain: bool
    """Whether several of them are no colours: grey bands, or pages as microscopes write them."""
    palette: bool


def is_tiff(content: bytes) -> bool:
    """Whether the bytes start as those of a TIFF file."""
    return content[:4] in MAGIC


def read_bands(content: bytes, where: object) -> Bands:
    """Read the header.

    Raises SegError where it is damaged, promises more than its bytes can hold, or the file holds more than one
    axis of planes or deep grey values from white to black.
    """
    with _opened(content, where) as file:
        series, page = file.series[0], file.pages[0]
        check_declared(series, len(content))
        number = _planes(series.axes, series.shape, where)
        kind = int(page.photometric)
        if kind == WHITE_IS_ZERO and page.bitspersample > 8:
            raise SegError(f"{where}: its grey values run from white to black (WhiteIsZero); save them as BlackIsZero")
        alpha = sum(int(extra) in ALPHA for extra in page.extrasamples)
        if kind == RGB and page.samplesperpixel == 4 and not page.extrasamples:
            alpha = 1
        plain = number != page.samplesperpixel or (kind in GREY and number - alpha > 1)
        return Bands(number, number - alpha, plain=plain, palette=kind == PALETTE)


def read_sizes(content: bytes, where: object) -> list[tuple[int, int]]:
    """Height and width of each picture, without those that are marked as reduced copies of another.

    Pages that are planes of one picture count once. Raises SegError where the file is damaged.
    """
    with _opened(content, where) as file:
        first, *others = (series.keyframe for series in file.series)
        return [(page.imagelength, page.imagewidth) for page in (first, *(p for p in others if not p.is_reduced))]


def read_planes(content: bytes, where: object) -> np.ndarray:
    """Read all planes: [height, width, planes], in the file's own type.

    A palette's colours are not looked at. Raises SegError where the file is damaged, stored turned, a
    decompression bomb, or compressed in a way that is not known here.
    """
    with _opened(content, where) as file:
        orientation = file.pages[0].tags.valueof(ORIENTATION, 1)
        if orientation != 1:
            raise SegError(f"{where}: is stored turned (Orientation {int(orientation)}); save it upright")
        series = file.series[0]
        number, axes = _planes(series.axes, series.shape, where), series.axes
        check_declared(series, len(content))
        check_unpacked(series, content)
        pixels = np.asarray(series.asarray())
        rows, columns = axes.index("Y"), axes.index("X")
        others = [axis for axis in range(len(axes)) if axis not in (rows, columns)]
        return pixels.transpose(rows, columns, *others).reshape(pixels.shape[rows], pixels.shape[columns], number)


def _planes(axes: str, shape: tuple[int, ...], where: object) -> int:
    lengths = [length for axis, length in zip(axes, shape, strict=True) if axis not in "YX" and length > 1]
    if "Y" not in axes or "X" not in axes or len(lengths) > 1:
        raise SegError(f"{where}: is an array of {shape} ({axes}); save one image a file, its bands as channels")
    return lengths[0] if lengths else 1


@contextmanager
def _opened(content: bytes, where: object) -> Iterator[Any]:
    import tifffile

    damage = (tifffile.TiffFileError, *DAMAGE)
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            check_pages(file, where)  # before series, which follows pages that lead back to each other for ever
            yield file
    except damage as error:
        if "imagecodecs" in str(error):
            raise SegError(
                f"{where}: its bands are compressed in a way that is not known here ({error}); "
                "save it with deflate compression, or with none"
            ) from None
        raise SegError(
            f"{where}: not a readable image ({len(content):,} bytes, {error}); replace or remove it"
        ) from None
