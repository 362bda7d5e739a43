"""How much a TIFF file would unpack to, found before tifffile unpacks it, which it does without any limit."""

import lzma
import math
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from seglib.errors import SegError
from seglib.io.archive import HARMLESS_BYTES, LARGEST_RATIO

MOST_PAGES = 512
"""Of a file; they can be the bands of one picture, and of thousands of pages each is looked at."""
HARMLESS_SEGMENT = 1 << 24
"""Bytes of a strip or tile that is larger than its picture."""
LZMA_MEMORY = 1 << 28
"""Bytes that an LZMA decoder may take for itself, four times those of its strongest preset."""
STORED = 1
"""The value of the tag Compression where there is none."""


def check_pages(file: Any, where: object) -> None:
    """Raise SegError where a file that tifffile opened has too many pages; those of a short circle count once.

    The first look finds a circle, and the second one knows of it.
    """
    try:
        for _ in range(2):
            file.pages[MOST_PAGES]
    except IndexError:
        return
    raise SegError(f"{where}: holds more than {MOST_PAGES} pages; save one image a file, its bands as channels")


def check_declared(series: Any, length: int) -> None:
    """Raise ValueError where a header promises more than a file of so many bytes can honestly hold.

    Strips and tiles count whole, as they are unpacked. `series` is tifffile's.
    """
    page = series.keyframe
    sample = page.dtype.itemsize if page.dtype else 1
    picture, segment = page.size * sample, math.prod(page.chunks) * sample
    if segment > max(picture, HARMLESS_SEGMENT):
        raise ValueError(f"its strips or tiles of {segment:,} bytes are larger than its {picture:,} bytes of pixels")
    pages = max(1, len(series.pages))
    promised = max(series.size * sample, math.prod(page.chunked) * segment * pages)
    if promised > most_bytes(length):
        raise _bomb(length, promised)


def check_unpacked(series: Any, content: bytes) -> None:
    """Unpack each strip or tile as far as it may go, and forget it again.

    Raises ValueError where one is larger than the header says, or compressed in a way of which that is not known.
    """
    page = series.keyframe
    if page.compression == STORED:
        return
    if page.compression not in LENGTHS:
        raise ValueError(f"{page.compression!r} would need imagecodecs")
    length_of = LENGTHS[page.compression]
    sample = page.dtype.itemsize if page.dtype else 1
    most, left = max(HARMLESS_SEGMENT, math.prod(page.chunks) * sample), most_bytes(len(content))
    for segment in _segments(series, content):
        length = length_of(segment, min(most, left))
        if length > min(most, left):
            raise _bomb(len(segment), length)
        left -= length


def most_bytes(length: int) -> int:
    """What a file of so many bytes may unpack to."""
    return max(HARMLESS_BYTES, LARGEST_RATIO * length)


def _segments(series: Any, content: bytes) -> Iterator[memoryview]:
    whole = memoryview(content)
    for page in series.pages:
        if page is not None:
            for start, length in zip(page.dataoffsets, page.databytecounts, strict=False):
                yield whole[start : start + length]


def _inflated(packed: memoryview, most: int) -> int:
    return len(zlib.decompressobj().decompress(packed, most + 1))


def _lzma_length(packed: memoryview, most: int) -> int:
    """Of all streams that stand one behind the other."""
    length, rest = 0, bytes(packed)
    while rest and length <= most:
        stream = lzma.LZMADecompressor(memlimit=LZMA_MEMORY)
        length += len(stream.decompress(rest, most + 1 - length))
        rest = stream.unused_data
    return length


def _run_length(packed: memoryview, most: int) -> int:
    """Of PackBits: a byte that says how many follow, or how often the next one stands there."""
    length = at = 0
    while at < len(packed) and length <= most:
        code = packed[at]
        literal = code < 128
        length += code + 1 if literal else (257 - code) % 129
        at += code + 2 if literal else 1 + (code > 128)
    return length


def _bomb(packed: int, unpacked: int) -> ValueError:
    return ValueError(f"{packed:,} bytes would unpack to {unpacked:,} or more: a decompression bomb")


LENGTHS: dict[int, Callable[[memoryview, int], int]] = {
    **dict.fromkeys((8, 32946, 50013), _inflated),
    34925: _lzma_length,
    32773: _run_length,
}
"""Value of the tag Compression → what finds the unpacked length, as far as one byte above the most."""
