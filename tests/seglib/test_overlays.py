import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.images import read_image
from seglib.io.sample import IGNORE
from seglib.overlays import IGNORED_COLOUR, Palette, coloured, displayable, draw, shown_slice, spread

PALETTE = Palette([(0, 0, 0), (250, 0, 0), (0, 0, 250)])


@given(st.lists(st.text(max_size=4), max_size=30, unique=True), st.integers(0, 40))
def test_spread_takes_first_and_last_and_what_lies_between_in_order(ranked, number):
    taken = spread(ranked, number)
    assert len(taken) == min(number, len(ranked))
    assert [ranked.index(item) for item in taken] == sorted(ranked.index(item) for item in taken)
    if len(taken) > 1:
        assert (taken[0], taken[-1]) == (ranked[0], ranked[-1])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_image_can_be_displayed(dtype, channels):
    image = np.random.default_rng(0).integers(0, 250, (20, 30, channels)).astype(dtype)
    shown = displayable(image if dtype == "uint8" else image * 100 if dtype != "int16" else image - 500)
    assert (shown.shape, shown.dtype) == ((20, 30, 3), np.uint8)
    if dtype != "uint8" and channels == 1:
        assert (shown.min(), shown.max()) == (0, 255)
    if dtype == "uint8" and channels >= 3:
        np.testing.assert_array_equal(shown, image[..., :3])


def test_a_plain_image_is_displayed_in_one_colour():
    assert len(np.unique(displayable(np.full((5, 5, 1), -700, np.int16)))) == 1


def areas():
    mask = np.zeros((40, 80), np.uint8)
    mask[10:30, 5:20], mask[10:30, 30:45], mask[10:30, 55:70] = 1, 2, IGNORE
    return mask


@pytest.mark.parametrize("shape", [(40, 80, 3), (40, 80, 5)])
def test_each_class_is_coloured_and_ignored_pixels_are_grey(shape):
    rgb = displayable(np.full(shape, 100, np.uint8))
    before = rgb.copy()
    found = coloured(rgb, areas(), PALETTE)
    np.testing.assert_array_equal(rgb, before)
    assert found[2, 2].tolist() == [100, 100, 100]
    assert found[10, 5].tolist() == [250, 0, 0]
    red, blue, grey = found[20, 12], found[20, 37], found[20, 62]
    assert red[0] > 150 > red[1] == red[2]
    assert blue[2] > 150 > blue[0] == blue[1]
    assert 100 < grey[0] < IGNORED_COLOUR[0]


def test_overlapping_classes_are_mixed():
    found = coloured(np.full((40, 80, 3), 100, np.uint8), areas(), Palette(PALETTE.colours, overlapping=True))
    alone = coloured(np.full((40, 80, 3), 100, np.uint8), areas(), PALETTE)
    np.testing.assert_array_equal(found, alone)
    both = coloured(np.full((9, 9, 3), 100, np.uint8), np.full((9, 9), 3, np.uint8), Palette(PALETTE.colours, True))  # noqa: FBT003
    assert both[4, 4][0] > both[4, 4][1] < both[4, 4][2]


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_a_picture_shows_image_truth_and_prediction(tmp_path, channels):
    image = np.full((40, 80, channels), 1000, np.uint16)
    draw(tmp_path / "new/case.png", image, areas(), np.zeros_like(areas()), PALETTE, "case")
    picture = read_image(tmp_path / "new/case.png")
    assert picture.shape == (40 + 22, 3 * 80 + 2 * 4, 3)
    plain, truth, guess = (picture[22:, start : start + 80] for start in (0, 84, 168))
    np.testing.assert_array_equal(plain, guess)
    assert not np.array_equal(plain, truth)


def volume():
    """Four slices of increasing brightness; the foreground lies in the second and, ignored, in the last."""
    image = np.repeat(np.arange(4, dtype=np.uint8) * 50, 20 * 30).reshape(4, 20, 30, 1)
    truth, guess = np.zeros((4, 20, 30), np.uint8), np.zeros((4, 20, 30), np.uint8)
    truth[1, 5:10, 5:10], guess[1, 5:10, 10:15] = 1, 2
    truth[2, 5:12, 5:10] = guess[2, 5:12, 5:10] = 1
    truth[3] = guess[3] = IGNORE
    return image, truth, guess


def test_of_a_volume_the_slice_with_most_foreground_in_both_masks_is_shown():
    image, truth, guess = volume()
    shown = shown_slice(image, truth, guess)
    for found, whole in zip(shown, (image, truth, guess), strict=True):
        np.testing.assert_array_equal(found, whole[1])


def test_of_a_volume_without_foreground_the_middle_is_shown_and_a_plane_stays():
    image, _, _ = volume()
    empty = np.zeros((4, 20, 30), np.uint8)
    np.testing.assert_array_equal(shown_slice(image, empty, empty)[0], image[2])
    assert shown_slice(image[0], empty[0], empty[1])[0].shape == (20, 30, 1)


def test_a_volume_is_drawn_as_its_slice(tmp_path):
    image, truth, guess = volume()
    draw(tmp_path / "volume.png", image, truth, guess, PALETTE, "case")
    draw(tmp_path / "plane.png", image[1], truth[1], guess[1], PALETTE, "case")
    assert (tmp_path / "volume.png").read_bytes() == (tmp_path / "plane.png").read_bytes()
