import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.sample import IGNORE
from seglib.loading import (
    collate,
    random_crop,
)

shapes = st.lists(st.integers(1, 12), min_size=2, max_size=3)


@given(shapes, st.lists(st.integers(1, 12), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_a_crop_is_one_window_of_image_and_mask(shape, wanted, seed):
    crop = tuple(wanted[: len(shape)])
    mask = torch.arange(1, np.prod(shape) + 1).reshape(shape).to(torch.int16)  # every value once: its place
    image = torch.stack([mask, mask + 5000])
    pixels, labels = random_crop(image, mask, crop, seed)
    assert pixels.shape == (2, *crop)
    assert labels.shape == crop
    inside = tuple(slice(min(have, want)) for have, want in zip(shape, crop, strict=True))
    assert torch.equal(pixels[0][inside], labels[inside])
    assert torch.equal(pixels[1][inside], labels[inside] + 5000)
    padded = torch.ones(crop, dtype=torch.bool)
    padded[inside] = False
    assert (labels[padded] == IGNORE).all()
    assert torch.isin(pixels[:, padded], pixels[(slice(None), *inside)].contiguous()).all()
    starts = np.unravel_index(int(labels[(0,) * len(shape)]) - 1, shape)
    window = tuple(slice(start, start + side.stop) for start, side in zip(starts, inside, strict=True))
    assert torch.equal(labels[inside], mask[window])


def test_padding_repeats_the_border_of_images():
    image = torch.tensor([[[1, 2], [3, 4]]], dtype=torch.uint8)
    mask = torch.ones(2, 2, dtype=torch.uint8)
    pixels, labels = random_crop(image, mask, (3, 4), 0)
    assert pixels.tolist() == [[[1, 2, 2, 2], [3, 4, 4, 4], [3, 4, 4, 4]]]
    assert labels.tolist() == [[1, 1, IGNORE, IGNORE]] * 2 + [[IGNORE] * 4]
    images, masks = collate([(image, mask), (torch.zeros(1, 3, 4, dtype=torch.uint8), torch.zeros_like(labels))])
    assert torch.equal(images[0], pixels)
    assert torch.equal(masks[0], labels)


def test_crops_reach_every_place():
    mask = torch.arange(25, dtype=torch.uint8).reshape(5, 5)
    corners = {int(random_crop(mask[None], mask, (3, 3), seed)[1][0, 0]) for seed in range(300)}
    assert corners == {0, 1, 2, 5, 6, 7, 10, 11, 12}


foreground = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 10), st.sampled_from([1, 2])), max_size=4)


@given(foreground, st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_a_crop_around_foreground_holds_foreground_if_there_is_any(pixels, height, width, seed):
    mask = torch.zeros(9, 11, dtype=torch.uint8)
    mask[0] = IGNORE
    for y, x, value in pixels:
        mask[y, x] = value
    _, labels = random_crop(mask[None], mask, (height, width), seed, foreground_crops=1.0)
    assert labels.shape == (height, width)
    assert ((labels > 0) & (labels != IGNORE)).any() == bool(pixels)


def test_crops_around_foreground_reach_every_window_that_shows_it_and_every_class():
    mask = torch.zeros(6, 7, dtype=torch.uint8)
    mask[2, 3], mask[5, 6] = 1, 2
    places = torch.arange(42).reshape(6, 7)[None]
    found = {int(random_crop(places, mask, (2, 3), seed, 1.0)[0][0, 0, 0]) for seed in range(300)}
    assert found == {7 * y + x for y in (1, 2) for x in (1, 2, 3)} | {7 * 4 + 4}


def test_classes_share_the_crops_around_foreground_equally_and_other_crops_are_laid_anywhere():
    mask = torch.zeros(20, 20, dtype=torch.uint8)
    mask[:, :9], mask[10, 18] = 1, 2
    crops = [random_crop(mask[None], mask, (3, 3), seed, 0.5)[1] for seed in range(600)]
    with_small = sum(int((crop == 2).any()) for crop in crops) / 600
    assert with_small == pytest.approx(0.25 + 0.5 * 6 / 18**2, abs=0.05)
