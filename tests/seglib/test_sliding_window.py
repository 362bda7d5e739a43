"""Windows over an image give what the whole image gives."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seglib.sliding_window import sliding_logits

sides = st.lists(st.integers(3, 23), min_size=2, max_size=3)


def pointwise(images):
    """Two planes that depend on each pixel alone."""
    return torch.stack([images[:, 0] * 3 - 1, 2 - images[:, 0]], 1)


@settings(deadline=None, max_examples=60)  # the first call fills MONAI's caches
@given(sides, st.lists(st.integers(2, 12), min_size=3, max_size=3), st.integers(1, 2))
def test_windows_of_any_shape_blend_to_what_a_pointwise_network_gives_at_once(space, window, batch):
    images = torch.rand(batch, 1, *space, generator=torch.Generator().manual_seed(0))
    found = sliding_logits(pointwise, images, tuple(window[: len(space)]))
    assert found.shape == (batch, 2, *space)
    torch.testing.assert_close(found, pointwise(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float32])
def test_the_network_sees_raw_values_of_every_type(dtype):
    images = torch.randint(0, 200, (1, 1, 11, 9)).to(dtype)
    torch.testing.assert_close(sliding_logits(pointwise, images, (4, 4)), pointwise(images.float()))


def seen_by(window, space, *overlap):
    """The sizes of what the network is asked for."""
    asked = []

    def network(images):
        asked.append(tuple(images.shape[2:]))
        return images

    found = sliding_logits(network, torch.rand(1, 1, *space), window, *overlap)
    assert found.shape == (1, 1, *space)
    return asked


@pytest.mark.parametrize(
    ("window", "space"), [(None, (50, 7)), ((8, 8), (8, 8)), ((8, 8), (5, 3)), ((4, 8, 8), (4, 1, 8))]
)
def test_an_image_that_fits_is_seen_at_once_and_as_it_is(window, space):
    assert seen_by(window, space) == [space]


def test_a_larger_image_is_seen_in_windows_that_overlap_by_half():
    assert seen_by((8, 8), (16, 12)) == [(8, 8)] * 3 * 2


@pytest.mark.parametrize(("overlap", "windows"), [(0.0, 2 * 2), (0.25, 3 * 2), (0.75, 5 * 3)])
def test_windows_overlap_by_the_share_that_is_asked_for(overlap, windows):
    assert seen_by((8, 8), (16, 12), overlap) == [(8, 8)] * windows


def test_an_image_larger_along_one_axis_only_is_seen_in_whole_windows():
    assert seen_by((8, 8), (12, 3)) == [(8, 8)] * 2


def test_the_middle_of_a_window_counts_more_than_its_border():
    """Of two windows, one says 0 and the other 1: in their overlap the nearer one prevails."""
    answers = iter((0.0, 1.0))

    def network(images):
        return torch.full_like(images, next(answers))

    row = sliding_logits(network, torch.zeros(1, 1, 8, 12), (8, 8))[0, 0, 4].tolist()
    assert row[:4] == [0] * 4
    assert row[8:] == [1] * 4
    assert row == sorted(row)
    assert row[4] < 0.5 < row[7]
    assert row[4] + row[7] == pytest.approx(1)
