"""Size and number of pictures are told before a pixel is decoded."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from seglib.errors import SegError
from seglib.io.picture_headers import read_picture_header

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
FRAMES = [Image.fromarray(np.full((5, 9, 3), shade, np.uint8)) for shade in (0, 90, 200)]


def encoded(kind: str, **how: Any) -> bytes:
    content = io.BytesIO()
    FRAMES[0].save(content, kind, **how)
    return content.getvalue()


def tiff(*pages: np.ndarray, **how: Any) -> bytes:
    content = io.BytesIO()
    with tifffile.TiffWriter(content) as file:
        for page in pages:
            file.write(page, **how)
    return content.getvalue()


def huge_png(side: int) -> bytes:
    """A PNG of that many rows and columns that holds none of them."""
    parts = {b"IHDR": struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0), b"IDAT": zlib.compress(b"0"), b"IEND": b""}
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("kind", FORMATS)
def test_size_is_read_from_the_header(kind):
    assert read_picture_header(encoded(kind), "a") == (5, 9, False)


@pytest.mark.parametrize("side", [10, 10_000, 20_000, 1_000_000])
def test_however_large_an_image_says_it_is(side):
    assert read_picture_header(huge_png(side), "a") == (side, side, False)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_frames_are_told(kind):
    assert read_picture_header(encoded(kind, save_all=True, append_images=FRAMES[1:]), "a").several


def test_the_preview_in_a_photograph_is_no_second_picture():
    content = encoded("MPO", save_all=True, append_images=FRAMES[1:])
    assert content[:2] == b"\xff\xd8"
    assert read_picture_header(content, "a") == (5, 9, False)


PAGE = np.zeros((5, 9, 3), np.uint8)


def test_coloured_pages_are_told():
    assert read_picture_header(tiff(PAGE, PAGE, photometric="rgb"), "a").several


def test_grey_pages_of_one_size_are_bands():
    assert not read_picture_header(tiff(np.zeros((4, 5, 9), np.uint8), photometric="minisblack"), "a").several


def test_a_reduced_copy_is_no_second_picture():
    content = io.BytesIO()
    with tifffile.TiffWriter(content) as file:
        file.write(PAGE, photometric="rgb")
        file.write(PAGE[::2, ::2], photometric="rgb", subfiletype=1)
    assert read_picture_header(content.getvalue(), "a") == (5, 9, False)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("length", [0, 3, 10, 20])
def test_a_truncated_header_is_refused(kind, length):
    with pytest.raises(SegError, match=rf"^a: not a readable image \({length} bytes"):
        read_picture_header(encoded(kind)[:length], "a")


@pytest.mark.parametrize("content", [b"<svg/>", b"P6 2 2 255 " + bytes(12), b"hello", bytes(200)])
def test_what_is_no_image_is_told_what_is_known(content):
    with pytest.raises(SegError, match="nor of any of the formats PNG, JPEG, BMP, GIF, WEBP, TIFF"):
        read_picture_header(content, "a")
