"""A TIFF file takes no more memory or time than its header may ask for."""

import io
import lzma
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile

from seglib.errors import SegError
from seglib.io.images import decode_image
from seglib.io.picture_headers import read_picture_header
from tests.seglib.io.test_picture_headers import PAGE, tiff

DEFLATE, LZMA, PACKBITS, LZW = 8, 34925, 32773, 5
WIDTH, LENGTH, COMPRESSION, TILE_WIDTH, TILE_LENGTH = 256, 257, 259, 322, 323
MIB = 1 << 20
ZEROS = bytes(64 * MIB)
BOMBS = {
    DEFLATE: zlib.compress(ZEROS),
    LZMA: lzma.compress(b"0") + lzma.compress(ZEROS, preset=0),
    PACKBITS: b"\x81\0" * (len(ZEROS) // 128),
}
BANDS = np.random.default_rng(0).integers(0, 9, (20, 30, 2)).astype(np.uint8)


def tiled(width: int, length: int, segments: list[bytes], compression: int, tile: int = 16) -> bytes:
    """A little-endian file of two bands in tiles, which all have the size `tile` in the header."""
    tags = {WIDTH: width, LENGTH: length, COMPRESSION: compression, TILE_WIDTH: tile, TILE_LENGTH: tile}
    tags |= {258: 8 | 8 << 16, 262: 1, 277: 2, 338: 0}
    start, number = 8, len(segments)
    places = [start + sum(map(len, segments[:at])) for at in range(number)]
    lists = start + sum(map(len, segments))
    rows = {tag: (4, 1, value) for tag, value in tags.items()} | {258: (3, 2, tags[258])}
    rows[324] = (4, number, lists if number > 1 else places[0])
    rows[325] = (4, number, lists + 4 * number if number > 1 else len(segments[0]))
    table = struct.pack(f"<{2 * number}I", *places, *map(len, segments))
    entries = b"".join(struct.pack("<HHII", tag, *rows[tag]) for tag in sorted(rows))
    head = b"II*\0" + struct.pack("<I", lists + len(table))
    return head + b"".join(segments) + table + struct.pack("<H", len(rows)) + entries + bytes(4)


def refused(content: bytes, said: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SegError, match=said) as caught:
            decode_image(content, 2, "a")
        assert str(caught.value).startswith("a: ")
        assert tracemalloc.get_traced_memory()[1] < len(content) + 40 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("compression", [DEFLATE, LZMA, PACKBITS])
def test_a_tile_that_unpacks_to_more_than_its_header_says_is_refused(compression):
    content = tiled(4, 4, [BOMBS[compression]], compression)
    refused(content, r"would unpack to 16,777,\d+ or more: a decompression bomb")


def test_a_tile_far_larger_than_its_picture_is_refused():
    refused(tiled(4, 4, [BOMBS[DEFLATE]], DEFLATE, tile=1 << 14), "its strips or tiles of 536,870,912 bytes are larger")


def test_a_picture_that_a_few_bytes_cannot_hold_is_refused():
    content = tiled(30_000, 30_000, [zlib.compress(bytes(512))], DEFLATE)
    refused(content, "would unpack to 1,800,000,000 or more: a decompression bomb")


def test_a_way_of_compression_without_known_length_is_refused():
    refused(tiled(16, 16, [bytes(99)], LZW), "compressed in a way that is not known here .*save it with deflate")


@pytest.mark.parametrize("compression", ["deflate", "lzma", "packbits", None])
def test_bands_are_read_however_they_are_compressed(compression):
    if compression == "packbits":
        runs = b"".join(b"\xff" + BANDS[0, 0, :1].tobytes() for _ in range(256))
        assert (decode_image(tiled(16, 16, [runs], PACKBITS), 2, "a") == BANDS[0, 0, 0]).all()
        return
    how = {"photometric": "minisblack", "planarconfig": "contig", "compression": compression, "tile": (16, 16)}
    assert (decode_image(tiff(BANDS, **how), 2, "a") == BANDS).all()


def test_damaged_compressed_bands_are_refused():
    refused(tiled(16, 16, [b"x" + BOMBS[DEFLATE][1:999]], DEFLATE), "not a readable image")
    refused(tiled(16, 16, [b"x" * 99], LZMA), "not a readable image")


@pytest.mark.parametrize("read", [read_picture_header, lambda content, where: decode_image(content, 3, where)])
def test_thousands_of_pages_are_refused_before_each_is_looked_at(monkeypatch, read):
    content = tiff(*[PAGE] * 600, photometric="rgb")
    monkeypatch.setattr(tifffile.TiffFile, "series", None)
    with pytest.raises(SegError, match="a: holds more than 512 pages"):
        read(content, "a")


def test_a_long_circle_of_pages_ends():
    content = bytearray(tiff(*[PAGE] * 200, photometric="rgb", metadata=None, contiguous=False))
    last = tifffile.TiffFile(io.BytesIO(content)).pages[-1].offset
    after = last + 2 + 12 * struct.unpack_from("<H", content, last)[0]
    assert content[after : after + 4] == bytes(4)
    content[after : after + 4] = content[4:8]
    with pytest.raises(SegError, match="more than 512 pages"):
        read_picture_header(bytes(content), "a")
