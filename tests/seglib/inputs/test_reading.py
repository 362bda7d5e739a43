"""Images are read as training reads them; what would be misread is refused in words."""

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seglib.config import parse
from seglib.datasets import folder
from seglib.errors import SegError
from seglib.inputs.items import Pixels
from seglib.inputs.reading import read_bytes, read_picture
from seglib.io.images import SUFFIXES
from tests.layouts import disc, save
from tests.layouts import folder as layouts
from tests.model_cards import card
from tests.seglib.io.test_picture_headers import PAGE, encoded, huge_png, tiff

NOISE = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
DEEP = NOISE.astype(np.uint16) * 257
COLOUR, GREY = card(channels=3), card(channels=1)


def as_png(pixels: np.ndarray) -> bytes:
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    return cv2.imencode(".png", cv2.cvtColor(pixels, order[pixels.shape[2]]) if pixels.ndim == 3 else pixels)[
        1
    ].tobytes()


def by_pillow(image: Image.Image, kind: str, **how: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **how)
    return content.getvalue()


def read(content: bytes, to=COLOUR) -> np.ndarray:
    pixels = read_bytes("a", content, to)
    assert (pixels.spacing, pixels.place) == (None, None)
    return pixels.image


def refused(content: bytes, said: str, to=COLOUR) -> None:
    with pytest.raises(SegError, match=said) as caught:
        read_bytes("a", content, to)
    assert str(caught.value).startswith("a: ")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_those_of_the_training_sample(tmp_path, suffix, channels):
    """The same file goes through the data set and through prediction."""
    picture, mask = disc(0)
    save(tmp_path / f"images/a{suffix}", picture)
    save(tmp_path / "masks/a.png", mask)
    given = parse(folder.Params, {**layouts.OPTIONS, "channels": channels, "group": ""}, "data.folder")
    (sample,) = folder.samples(tmp_path, given)
    found = read_picture(tmp_path / f"images/a{suffix}", card(channels=channels)).image
    assert found.dtype == sample.image().dtype
    assert (found == sample.image()).all()


def test_colours_are_rgb_and_become_grey_for_one_channel():
    assert (read(as_png(NOISE)) == NOISE).all()
    grey = read(as_png(NOISE), GREY)
    assert grey.shape == (30, 40, 1)
    assert np.abs(grey[..., 0] - NOISE @ (0.299, 0.587, 0.114)).max() < 1.1


def test_grey_is_repeated_for_three_channels():
    assert (read(as_png(NOISE[..., 0])) == NOISE[..., :1]).all()
    assert (read(by_pillow(Image.fromarray(NOISE[..., 0] > 99), "PNG")) == 255 * (NOISE[..., :1] > 99)).all()


def test_an_alpha_channel_is_dropped_unless_the_model_wants_it():
    with_alpha = np.dstack([NOISE, NOISE[..., 0]])
    assert (read(as_png(with_alpha)) == NOISE).all()
    assert (read(as_png(with_alpha), card(channels=4)) == with_alpha).all()
    half = by_pillow(Image.fromarray(with_alpha).convert("LA"), "PNG")
    assert read(half, GREY).shape == (30, 40, 1)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_a_palette_gives_its_colours(kind):
    few = np.array([[10, 20, 30], [200, 100, 0]], np.uint8)[NOISE[..., 0] % 2]
    assert (read(by_pillow(Image.fromarray(few).quantize(4), kind)) == few).all()


def test_sixteen_bits_are_kept_for_a_model_that_knows_them():
    found = read(as_png(DEEP), card(types=["uint16"]))
    assert found.dtype == np.uint16
    assert (found == DEEP).all()
    assert read(as_png(DEEP[..., 0]), card(channels=1, types=["uint16", "uint8"])).dtype == np.uint16
    refused(as_png(DEEP), "holds uint16 values, but the model was trained on uint8; convert it")
    refused(
        as_png(NOISE),
        "holds uint8 values, but the model was trained on float32 and uint16",
        card(types=["float32", "uint16"]),
    )


@pytest.mark.parametrize("modality", ["ct", "mri", "pet"])
def test_a_picture_of_a_scan_is_no_scan(modality):
    """Its grey values are a display window's, no Hounsfield or scanner units."""
    refused(
        as_png(NOISE[..., 0]),
        "holds uint8 values, but the model was trained on int16",
        card(channels=1, modality=modality, types=["int16"]),
    )
    learnt = card(channels=1, modality=modality, types=["int16", "uint8"])
    assert (read(as_png(NOISE[..., 0]), learnt)[..., 0] == NOISE[..., 0]).all()


def test_cmyk_is_converted_in_a_photograph_and_refused_in_a_tiff():
    image = Image.new("CMYK", (40, 30), (0, 255, 255, 0))
    assert np.abs(read(by_pillow(image, "JPEG")).astype(int) - (255, 0, 0)).max() < 10
    refused(by_pillow(image, "TIFF"), "has 4 channels, but the model was trained on 3; convert it")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_stands_as_its_orientation_says(orientation):
    exif = Image.Exif()
    exif[274] = orientation
    smooth = Image.fromarray(cv2.GaussianBlur(NOISE, (0, 0), 5))
    content = by_pillow(smooth, "JPEG", exif=exif, quality=100)
    upright = {1: 0, 2: "lr", 3: 2, 4: "ud", 5: "t", 6: -1, 7: "at", 8: 1}[orientation]
    pixels = np.asarray(smooth)
    turned = {"lr": pixels[:, ::-1], "ud": pixels[::-1], "t": pixels.swapaxes(0, 1)}
    turned["at"] = turned["t"][::-1, ::-1]
    expected = turned[upright] if isinstance(upright, str) else np.rot90(pixels, upright)
    assert read(content).shape == expected.shape
    assert np.abs(read(content).astype(int) - expected).max() < 12


def test_one_pixel_is_an_image():
    assert (read(as_png(NOISE[:1, :1])) == NOISE[:1, :1]).all()


def test_what_says_to_be_too_large_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr("seglib.inputs.reading.decode_image", None)
    refused(huge_png(20_000), r"20,000×20,000 pixels; at most 268,435,456 are read; cut it into parts")
    refused(huge_png(16_385), "at most 268,435,456 are read")
    page = tiff(PAGE, photometric="rgb").replace(b"\x05\0", b"\x20\x4e").replace(b"\x09\0\0\0", b"\x20\x4e\0\0")
    refused(page, "20,000×20,000 pixels; at most")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_animations_are_refused(kind):
    frames = [Image.fromarray(PAGE), Image.fromarray(PAGE + 99)]
    refused(encoded(kind, save_all=True, append_images=frames), "holds several pictures, as frames or pages")


def test_pages_are_refused_unless_they_are_the_bands_that_the_model_wants():
    refused(tiff(PAGE, PAGE, photometric="rgb"), "holds several pictures")
    pages = tiff(np.zeros((5, 30, 40), np.uint8), photometric="minisblack")
    refused(pages, "has 5 channels, but the model was trained on 3")
    refused(pages, "has 5 channels, but the model was trained on 1", GREY)
    assert read(pages, card(channels=5)).shape == (30, 40, 5)


def test_other_bands_are_refused():
    refused(as_png(NOISE), "has 3 channels, but the model was trained on 4", card(channels=4))
    refused(as_png(NOISE[..., 0]), r"has 1 channel, but the model was trained on 2", card(channels=2))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(odd):
    values, learnt = np.ones((30, 40), np.float32), card(channels=1, types=["float32"])
    assert read(tiff(values), learnt).dtype == np.float32
    values[3, :5] = odd
    refused(tiff(values), r"5 of 1,200 values are not finite", learnt)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.95])
def test_truncated_files_are_refused(kind, share):
    content = by_pillow(Image.fromarray(NOISE), kind)
    refused(content[: int(len(content) * share)], "not a readable image|ends in mid-image|cannot be decoded")


@pytest.mark.parametrize("content", [b"", b"<html>", b"P6 1 1 255 abc", bytes(500)])
def test_what_is_no_image_is_refused(content):
    refused(content, rf"not a readable image \({len(content)} bytes\), nor of any of the formats PNG")


WHOLE = {
    **{kind: by_pillow(Image.fromarray(NOISE), kind) for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")},
    "palette": by_pillow(Image.fromarray(NOISE).quantize(16), "TIFF"),
    "pages": tiff(np.zeros((3, 30, 40), np.uint8), photometric="minisblack"),
}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from([1, 3, 4]),
)
def test_whatever_is_damaged_is_read_or_refused_in_words(kind, changes, channels):
    content = bytearray(WHOLE[kind])
    for place, value in changes:
        content[place] = value
    with suppress(SegError):
        assert read_bytes("a", bytes(content), card(channels=channels)).image.shape[2] == channels


def test_the_suffix_makes_no_difference(tmp_path):
    (tmp_path / "a.jpg").write_bytes(as_png(NOISE))
    pixels = read_picture(tmp_path / "a.jpg", COLOUR)
    assert isinstance(pixels, Pixels)
    assert (pixels.image == NOISE).all()


def test_a_model_of_volumes_takes_no_image():
    refused(as_png(NOISE), "is an image, but the model was trained on volumes", card(dims=3))


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(SegError, match=r"a\.png: cannot be read"):
        read_picture(tmp_path / "a.png", COLOUR)


def test_turned_bands_are_refused():
    exif = [(274, "H", 1, 6, True)]
    content = io.BytesIO()
    tifffile.imwrite(
        content, np.dstack([NOISE, NOISE]), photometric="minisblack", planarconfig="contig", extratags=exif
    )
    refused(content.getvalue(), "is stored turned", card(channels=6))
