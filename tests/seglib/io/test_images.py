from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from seglib.errors import SegError
from seglib.io.images import SUFFIXES, read_colours, read_grey, read_image, read_indices, read_values, write_png

NOISE = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
PIXELS = cv2.GaussianBlur(NOISE, (0, 0), 4)


def encoded(suffix: str, pixels: np.ndarray = PIXELS) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_is_read_as_rgb(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    file.write_bytes(encoded(suffix))
    coarse = 30 if suffix == ".gif" else 5  # OpenCV writes GIF with few colours
    assert np.abs(read_image(file).astype(int) - PIXELS[..., ::-1]).mean() < coarse


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


def test_a_png_whose_chunks_do_not_lead_to_its_end_is_refused(tmp_path):
    """OpenCV reads such a file for ever."""
    file = tmp_path / "a.png"
    content = bytearray(encoded(".png"))
    content[content.index(b"IDAT") - 4] = 0xFF
    file.write_bytes(content)
    with pytest.raises(SegError, match=rf"{file}: ends in mid-image"):
        read_image(file)


def test_tiff_pages_that_lead_back_to_the_first_end(tmp_path):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, PIXELS, photometric="rgb", metadata=None)
    content = bytearray(file.read_bytes())
    first = int.from_bytes(content[4:8], "little")
    after = first + 2 + 12 * int.from_bytes(content[first : first + 2], "little")
    assert content[after : after + 4] == bytes(4)
    content[after : after + 4] = content[4:8]
    file.write_bytes(content)
    assert (read_image(file) == PIXELS).all()


DEEP = PIXELS.astype(np.uint16) * 257


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_kept(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    file.write_bytes(encoded(suffix, DEEP))
    assert read_image(file).dtype == np.uint16
    assert (read_image(file) == DEEP[..., ::-1]).all()
    grey = read_image(file, 1)
    assert grey.shape == (30, 40, 1)
    assert np.abs(grey[..., 0] / 257 - cv2.cvtColor(PIXELS, cv2.COLOR_BGR2GRAY)).max() <= 1


def test_a_grey_mask_of_sixteen_bits_is_refused(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(encoded(".png", DEEP))
    for read in (read_grey, read_colours):
        with pytest.raises(SegError, match="uint16 values; save it with 8 bits"):
            read(file)


@pytest.mark.parametrize("alpha", [0, 128, 255])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_an_alpha_channel_is_dropped(tmp_path, suffix, alpha):
    file = tmp_path / f"a{suffix}"
    with_alpha = np.dstack([PIXELS, np.full(PIXELS.shape[:2], alpha, np.uint8)])
    file.write_bytes(cv2.imencode(suffix, with_alpha, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes())
    if suffix != ".webp" or alpha:
        assert (read_image(file) == PIXELS[..., ::-1]).all()
    assert read_image(file, 1).shape == (30, 40, 1)
    if suffix == ".png":
        assert (read_image(file, 4)[..., 3] == alpha).all()


TIFFS: dict[str, tuple[np.ndarray, dict[str, Any], Any]] = {
    "float32": (NOISE[..., 0] / np.float32(7), {}, np.float32),
    "float64": (NOISE[..., 0] / 8, {}, np.float32),
    "int16": (NOISE[..., 0].astype(np.int16) - 100, {}, np.int16),
    "uint32": (NOISE[..., 0].astype(np.uint32), {}, np.int16),
    "deflated": (NOISE[..., 0], {"compression": "zlib", "tile": (16, 16)}, np.uint8),
    "float RGB": (NOISE / np.float32(7), {"photometric": "rgb"}, np.float32),
    "int16 RGB": (NOISE.astype(np.int16), {"photometric": "rgb"}, np.int16),
}


@pytest.mark.parametrize("kind", TIFFS)
def test_a_tiff_keeps_its_type(tmp_path, kind):
    stored, how, dtype = TIFFS[kind]
    tifffile.imwrite(tmp_path / "a.tif", stored, **how)
    grey, colour = read_image(tmp_path / "a.tif", 1), read_image(tmp_path / "a.tif", 3)
    assert (grey.shape, colour.shape) == ((30, 40, 1), (30, 40, 3))
    assert (colour == np.atleast_3d(stored).astype(dtype)).all()
    assert colour.dtype == dtype
    if stored.ndim == 2:
        assert grey.dtype == dtype
        assert (grey[..., 0] == stored.astype(dtype)).all()


@pytest.mark.parametrize("order", ["contig", "separate", "pages"])
@pytest.mark.parametrize("bands", [2, 3, 4, 7])
def test_bands_are_read_in_their_order(tmp_path, order, bands):
    planes = np.random.default_rng(1).integers(0, 60000, (bands, 30, 40)).astype(np.uint16)
    stored = np.moveaxis(planes, 0, -1) if order == "contig" else planes
    how: dict[str, Any] = {} if order == "pages" else {"planarconfig": order}
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", **how)
    assert (read_image(tmp_path / "a.tif", bands) == np.moveaxis(planes, 0, -1)).all()
    if order == "pages" or bands != 3:
        with pytest.raises(
            SegError, match=f"has {bands} bands, but channels: 1 is declared; declare channels: {bands}"
        ):
            read_image(tmp_path / "a.tif", 1)


def test_a_stack_of_coloured_pages_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([NOISE] * 4), photometric="rgb")
    with pytest.raises(SegError, match=r"is an array of \(4, 30, 40, 3\)"):
        read_image(tmp_path / "a.tif")


INDICES = NOISE[..., 0] % 3


@pytest.mark.parametrize("suffix", [".png", ".gif", ".tif"])
def test_a_palette_of_colours_gives_indices_and_one_of_greys_its_greys(tmp_path, suffix):
    image = Image.frombytes("P", (40, 30), INDICES.tobytes())
    for name, palette, expected in (
        ("colours", [0, 0, 0, 128, 0, 0, 0, 128, 0], INDICES),
        ("greys", [0, 0, 0, 90, 90, 90, 255, 255, 255], np.array([0, 90, 255])[INDICES]),
    ):
        if suffix == ".tif" and name == "greys":
            continue
        image.putpalette(palette)
        image.save(tmp_path / f"{name}{suffix}", optimize=False)
        assert (read_values(tmp_path / f"{name}{suffix}") == expected).all()


def test_values_of_masks_of_other_types(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", INDICES.astype(np.float32))
    Image.fromarray(INDICES > 0).save(tmp_path / "b.png")
    write_png(tmp_path / "c.png", np.repeat(INDICES[..., None], 3, axis=2))
    cv2.imwrite(str(tmp_path / "d.png"), INDICES.astype(np.uint16))
    assert (read_values(tmp_path / "a.tif") == INDICES).all()
    assert (read_values(tmp_path / "b.png") == np.where(INDICES > 0, 255, 0)).all()
    assert (read_values(tmp_path / "c.png") == INDICES).all()
    assert (read_values(tmp_path / "d.png") == INDICES).all()


@pytest.mark.parametrize("values", [INDICES + np.float32(0.5), INDICES.astype(np.uint16) + 300])
def test_values_that_are_no_bytes_are_named(tmp_path, values):
    tifffile.imwrite(tmp_path / "a.tif", values)
    with pytest.raises(SegError, match=rf"a\.tif: mask values such as .* \({values.dtype}\); save whole numbers"):
        read_values(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_a_mask_in_colour_is_refused_as_values_and_read_as_colours(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_bytes(encoded(suffix))
    with pytest.raises(SegError, match=r"the mask is in colour; declare colour: \[r, g, b\]"):
        read_values(tmp_path / f"a{suffix}")
    assert (read_colours(tmp_path / f"a{suffix}") == PIXELS[..., ::-1]).all()


def rgba(colours: list[list[int]]) -> Image.Image:
    return Image.fromarray(np.array([colours] * 4, np.uint8))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_a_mask_drawn_in_transparency_is_refused(tmp_path, suffix, mode):
    file = tmp_path / f"a{suffix}"
    rgba([[255, 255, 255, 255], [255, 255, 255, 0], [0, 0, 0, 255]]).convert(mode).save(file, lossless=True, exact=True)
    for read in (read_values, read_colours, read_grey):
        with pytest.raises(SegError, match=rf"a{suffix}: the mask has an alpha channel that tells apart"):
            read(file)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("ground", [0, 255])
def test_transparency_that_says_nothing_more_than_the_colours_does_no_harm(tmp_path, suffix, ground):
    file = tmp_path / f"a{suffix}"
    rgba([[255, 255, 255, 255], [0, 0, 0, ground]]).save(file, lossless=True, exact=True)
    assert (read_values(file) == [255, 0]).all()


def turned(file: Path, image: Image.Image) -> Path:
    """Saved with the orientation that turns it by a quarter."""
    exif = Image.Exif()
    exif[274] = 6
    image.save(file, exif=exif, lossless=True, quality=100)
    return file


UPRIGHT = np.rot90(INDICES, -1)


def test_masks_are_turned_as_their_images_are(tmp_path):
    palette = Image.fromarray(INDICES)
    palette.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    for suffix in (".png", ".tif"):
        image = turned(tmp_path / f"image{suffix}", Image.fromarray(INDICES))
        assert (read_image(image)[..., 0] == UPRIGHT).all()
        assert (read_values(image) == UPRIGHT).all()
        assert (read_indices(image) == UPRIGHT).all()
        assert (read_indices(turned(tmp_path / f"mask{suffix}", palette)) == UPRIGHT).all()
    assert (read_values(tmp_path / "mask.png") == UPRIGHT).all()


def test_turned_bands_are_refused(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.dstack([NOISE, NOISE]),
        photometric="minisblack",
        planarconfig="contig",
        extratags=[(274, "H", 1, 6, True)],
    )
    with pytest.raises(SegError, match=r"a\.tif: is stored turned \(Orientation 6\); save it upright"):
        read_image(tmp_path / "a.tif", 6)
    turned(tmp_path / "a.png", Image.fromarray(np.dstack([NOISE, NOISE[..., 0]])))
    with pytest.raises(SegError, match=r"a\.png: is stored turned \(EXIF orientation 6\); save it upright"):
        read_image(tmp_path / "a.png", 4)


def test_deep_greys_from_white_to_black_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DEEP[..., 0], photometric="miniswhite")
    with pytest.raises(SegError, match=r"a\.tif: its grey values run from white to black"):
        read_image(tmp_path / "a.tif", 1)
    tifffile.imwrite(tmp_path / "b.tif", NOISE[..., 0], photometric="miniswhite")
    assert (read_image(tmp_path / "b.tif", 1)[..., 0] == 255 - NOISE[..., 0]).all()


def test_colours_that_opencv_cannot_make_grey_are_told_in_words(tmp_path, monkeypatch):
    def no_memory(*_: Any) -> np.ndarray:
        raise cv2.error("OpenCV: source\n(-4:Insufficient memory) Failed to allocate")

    monkeypatch.setattr(cv2, "cvtColor", no_memory)
    tifffile.imwrite(tmp_path / "a.tif", DEEP, photometric="rgb")
    with pytest.raises(SegError, match=r"a\.tif: cannot be made grey: \(-4:Insufficient memory\)"):
        read_image(tmp_path / "a.tif", 1)


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
