import cv2
import numpy as np
import pytest

from seglib.errors import SegError
from seglib.io.images import SUFFIXES, read_grey, read_image, write_png

NOISE = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
PIXELS = cv2.GaussianBlur(NOISE, (0, 0), 4)


def encoded(suffix: str, pixels: np.ndarray = PIXELS) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_is_read_as_rgb(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    file.write_bytes(encoded(suffix))
    assert np.abs(read_image(file).astype(int) - PIXELS[..., ::-1]).mean() < 5


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.9, 0.99])
def test_a_truncated_image_is_refused(tmp_path, suffix, share):
    file = tmp_path / f"a{suffix}"
    content = encoded(suffix)
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SegError, match=rf"{file}: "):
        read_image(file)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"<svg/>" * 100])
def test_what_is_no_image_is_refused(tmp_path, content):
    file = tmp_path / "a.png"
    file.write_bytes(content)
    with pytest.raises(SegError, match=rf"{file}: .*({len(content)} bytes|decoded)"):
        read_image(file)


def test_a_damaged_png_is_refused(tmp_path):
    file = tmp_path / "a.png"
    content = bytearray(encoded(".png"))
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(SegError, match=rf"{file}: "):
        read_image(file)


def test_more_than_eight_bits_are_refused(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(encoded(".png", PIXELS.astype(np.uint16) * 256))
    with pytest.raises(SegError, match="uint16 values; save it with 8 bits"):
        read_image(file)


def test_an_image_that_claims_to_be_huge_is_refused(tmp_path):
    file = tmp_path / "a.bmp"
    content = bytearray(encoded(".bmp"))
    content[18:26] = (60000).to_bytes(4, "little") * 2
    file.write_bytes(content)
    with pytest.raises(SegError, match=rf"{file}: cannot be decoded"):
        read_image(file)


@pytest.mark.parametrize("pixels", [PIXELS, PIXELS[..., 0].copy()])
def test_what_is_written_is_read_again(tmp_path, pixels):
    write_png(tmp_path / "a.png", pixels)
    read = read_image(tmp_path / "a.png") if pixels.ndim == 3 else read_grey(tmp_path / "a.png")
    assert (read == pixels).all()
