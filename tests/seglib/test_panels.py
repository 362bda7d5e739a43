import numpy as np
import pytest
import torch

from seglib.overlays import Palette, coloured, displayable
from seglib.panels import GAP, panel

PALETTE = Palette([(0, 0, 0), (250, 0, 0)])


def case(height=20, width=30, dtype=np.uint8, channels=3):
    random = np.random.default_rng(height * width + channels)
    image = random.integers(0, 200, (channels, height, width)).astype(dtype)
    truth, guess = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    truth[5:15, 5:15], guess[5:15, 10:20] = 1, 1
    return image, truth, guess


def drawn(*cases):
    images, masks, guesses = zip(*cases, strict=True)
    return panel(images, masks, guesses, PALETTE)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_a_row_is_input_truth_and_prediction(dtype, channels):
    image, truth, guess = case(dtype=dtype, channels=channels)
    found = drawn((image, truth, guess))
    rgb = displayable(image.transpose(1, 2, 0))
    gap = np.full((20, GAP, 3), 255, np.uint8)
    expected = [rgb, gap, coloured(rgb, truth, PALETTE), gap, coloured(rgb, guess, PALETTE)]
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.concatenate(expected, axis=1))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int16, torch.float32])
def test_tensors_draw_what_arrays_draw(dtype):
    arrays = case()
    tensors = (torch.from_numpy(arrays[0]).to(dtype), torch.from_numpy(arrays[1]), torch.from_numpy(arrays[2]))
    np.testing.assert_array_equal(drawn(tensors), drawn((tensors[0].numpy(), *arrays[1:])))


def test_smaller_cases_are_padded_with_white_and_only_four_are_shown():
    found = drawn(case(20, 30), case(40, 24), *[case(16, 24)] * 4)
    assert found.shape == (4 * 40 + 3 * GAP, 3 * 30 + 2 * GAP, 3)
    assert (found[20:40] == 255).all(), "below the first"
    assert (found[44:84, 24:34] == 255).all(), "right of the second"
    assert (found[:20, :30] < 255).all()


def test_a_big_case_shrinks_to_256_pixels_a_side():
    image, truth = np.zeros((3, 300, 600), np.uint8), np.zeros((300, 600), np.uint8)
    image[:, :, ::2] = 200
    truth[:, 300:] = 1
    found = drawn((image, truth, np.zeros_like(truth)))
    assert found.shape == (128, 3 * 256 + 2 * GAP, 3)
    assert np.abs(found[:, :256].astype(int) - 100).max() <= 45, "stripes must be averaged, not sampled"
    red = found[:, 256 + GAP : 512 + GAP]
    assert (red[..., 0] > red[..., 1] + 50).mean() == pytest.approx(0.5, abs=0.01)


def test_a_volume_is_shown_by_its_slice_with_most_foreground():
    image, truth, guess = case()
    empty = np.zeros_like(truth)
    stacked = np.stack([image * 0, image, image * 0], axis=1), *(np.stack([empty, m, empty]) for m in (truth, guess))
    np.testing.assert_array_equal(drawn(stacked), drawn((image, truth, guess)))
