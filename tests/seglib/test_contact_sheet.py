import numpy as np
import pytest

from seglib.contact_sheet import COLUMNS, GAP, LINE, TILE, Tile, draw_sheet
from seglib.io.images import read_image
from seglib.io.sample import IGNORE
from seglib.overlays import Palette

PALETTE = Palette([(0, 0, 0), (250, 0, 0), (0, 0, 250)])
WIDTH, HEIGHT = 2 * TILE + GAP + 8, TILE + 2 * LINE + 4 + 8


def tile(name="case", note="", shape=(40, 60), channels=3, dtype="uint8"):
    random = np.random.default_rng(0)
    image = random.integers(0, 200, (*shape, channels)).astype(dtype)
    mask = np.zeros(shape, np.uint8)
    mask[: shape[0] // 2], mask[-(shape[0] // 4 or 1) :] = 1, IGNORE
    return Tile(name, note, image, mask)


def sheet(tmp_path, tiles):
    draw_sheet(tmp_path / "new/sheet.png", tiles, PALETTE)
    return read_image(tmp_path / "new/sheet.png")


@pytest.mark.parametrize(("number", "columns", "rows"), [(1, 1, 1), (5, 5, 1), (6, 6, 1), (7, COLUMNS, 2), (48, 6, 8)])
def test_tiles_fill_rows(tmp_path, number, columns, rows):
    found = sheet(tmp_path, [tile(f"case{i}") for i in range(number)])
    assert found.shape == (rows * HEIGHT, columns * WIDTH, 3)
    last = found[-HEIGHT:, -WIDTH:]
    assert (last == 255).all() == (number % columns > 0)


@pytest.mark.parametrize("shape", [(40, 60), (300, 20), (1, 700), (128, 128), (1, 1), (900, 1200)])
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_every_size_and_type_of_image_fits(tmp_path, shape, channels, dtype):
    found = sheet(tmp_path, [tile(shape=shape, channels=channels, dtype=dtype)])
    assert found.shape == (HEIGHT, WIDTH, 3)


def test_image_and_mask_stand_side_by_side_under_name_and_note(tmp_path):
    plain, noted = (sheet(tmp_path, [tile(note=note)]) for note in ("", "empty_mask"))
    head = 2 * LINE + 6
    assert (plain[LINE + 4 : head] == 255).all()
    assert not np.array_equal(plain[:head], noted[:head])
    np.testing.assert_array_equal(plain[head:], noted[head:])
    image, masked = (
        noted[head : head + TILE, 4 : 4 + TILE],
        noted[head : head + TILE, 4 + TILE + GAP : 4 + 2 * TILE + GAP],
    )
    assert masked[50, :, 0].mean() > image[50, :, 0].mean() + 30


@pytest.mark.parametrize("name", ["a" * 300, "größe-肺-ü" * 9, ""])
def test_any_name_can_be_written(tmp_path, name):
    assert sheet(tmp_path, [tile(name)]).shape == (HEIGHT, WIDTH, 3)
