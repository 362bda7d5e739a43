from pathlib import Path

import cv2
import numpy as np
import pytest

from seglib.io.sample import IGNORE
from seglib.overlays import IGNORED_COLOUR, Palette
from seglib.pictures import ERRORS, OPACITY, errors, write_pictures, write_thumbnail


def read(file: Path) -> np.ndarray:
    found = cv2.imread(str(file))
    assert found is not None
    return found


ONE = Palette([(0, 0, 0), (0, 255, 0)])
FOUND, INVENTED, MISSED = ERRORS


def over_black(colour: tuple[int, int, int]) -> list[int]:
    return [int(value * OPACITY) for value in colour]


@pytest.mark.parametrize(
    ("palette", "truth", "guess", "colours"),
    [
        (ONE, [0, 1, 0, 1, IGNORE], [0, 1, 1, 0, 1], [(0, 0, 0), FOUND, INVENTED, MISSED, IGNORED_COLOUR]),
        (Palette([(0, 0, 0)] * 3), [1, 2, 0], [2, 2, 2], [MISSED, FOUND, INVENTED]),
        (Palette([(0, 0, 0)] * 3, overlapping=True), [3, 3, 1, 0], [3, 1, 3, 2], [FOUND, MISSED, INVENTED, INVENTED]),
    ],
)
def test_errors_have_a_colour_each(palette, truth, guess, colours):
    rgb = np.zeros((1, len(truth), 3), np.uint8)
    found = errors(rgb, np.array([truth], np.uint8), np.array([guess], np.uint8), palette)
    assert found[0].tolist() == [over_black(colour) for colour in colours]


def test_a_cases_pictures_are_drawn_and_no_larger_than_needed(tmp_path):
    image = np.full((600, 1200, 3), 90, np.uint8)
    mask = np.zeros((600, 1200), np.uint8)
    mask[200:400, 300:900] = 1
    write_pictures(tmp_path / "case", image, mask, np.zeros_like(mask), ONE)
    drawn = {file.stem: read(file) for file in (tmp_path / "case").iterdir()}
    assert {name: picture.shape for name, picture in drawn.items()} == dict.fromkeys(
        ("image", "truth", "prediction", "errors"), (240, 480, 3)
    )
    middle = {name: picture[120, 240].astype(int) for name, picture in drawn.items()}
    assert abs(middle["image"] - 90).max() <= 3
    assert middle["truth"][1] > 140
    assert abs(middle["prediction"] - 90).max() <= 3
    assert middle["errors"][2] > middle["errors"][0] + 80


def test_a_thumbnail_of_a_volume_is_its_fullest_slice(tmp_path):
    image = np.zeros((3, 20, 30, 1), np.int16)
    truth = np.zeros((3, 20, 30), np.uint8)
    truth[1] = 1
    write_thumbnail(tmp_path / "new" / "case.webp", image, truth, truth, ONE)
    drawn = read(tmp_path / "new" / "case.webp")
    assert drawn.shape == (20, 30, 3)
    assert abs(drawn[10, 15, ::-1] - np.array(over_black(FOUND))).max() <= 6


def test_equal_pictures_have_equal_bytes(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    mask = (image[..., 0] > 100).astype(np.uint8)
    for name in ("a.webp", "b.webp"):
        write_thumbnail(tmp_path / name, image, mask, mask, ONE)
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()
