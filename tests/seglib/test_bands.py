"""Bands of rows give what the whole gives."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib import bands
from seglib.bands import blended_bands, resized_bands
from seglib.io.resize import resize_image
from seglib.sliding_window import sliding_logits


def network(images):
    """Two planes that depend on the place in the window, as those of a real network do near its border."""
    ramp = torch.linspace(0, 1, images.shape[-1]) + torch.linspace(0, 2, images.shape[2]).view(
        -1, *[1] * (images.ndim - 3)
    )
    return torch.cat([images[:, :1] * ramp, images[:, :1] - ramp], 1)


def look(window):
    return network(torch.from_numpy(np.ascontiguousarray(np.moveaxis(window, -1, 0)))[None])[0]


def noise(*shape):
    return np.random.default_rng(0).random(shape, dtype=np.float32)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize(
    ("shape", "window"),
    [
        ((40, 53), (16, 16)),
        ((40, 53), (8, 24)),
        ((100, 9), (16, 16)),
        ((9, 100), (16, 16)),
        ((16, 64), (16, 16)),
        ((9, 20, 23), (8, 8, 16)),
        ((5, 20, 23), (8, 8, 16)),
        ((20, 5, 23), (8, 8, 16)),
    ],
)
def test_bands_are_the_rows_of_the_whole_in_every_bit(shape, window, overlap):
    image = noise(*shape, 1)
    whole = sliding_logits(network, torch.from_numpy(np.moveaxis(image, -1, 0))[None], window, overlap)[0]
    found = list(blended_bands(look, image, window, overlap))
    assert max(band.shape[1] for band in found) <= window[0]
    assert torch.equal(torch.cat(found, 1), whole)


@pytest.mark.parametrize("high", [1, 7, 1000], ids=["rows", "low bands", "one band"])
@pytest.mark.parametrize(
    ("have", "want"),
    [
        ((8, 12), (63, 41)),
        ((8, 12), (64, 36)),
        ((60, 40), (23, 17)),
        ((60, 40), (30, 20)),
        ((7, 40), (31, 20)),
        ((40, 7), (20, 31)),
        ((1, 1), (5, 6)),
        ((9, 8), (1, 1)),
        ((6, 7, 8), (17, 15, 13)),
        ((17, 15, 13), (6, 7, 8)),
        ((6, 15, 8), (17, 7, 13)),
    ],
)
def test_resized_bands_are_the_resized_whole(have, want, high, monkeypatch):
    monkeypatch.setattr(bands, "BAND", 300)
    maps = noise(3, *have)
    whole = np.stack([resize_image(plane[..., None], want)[..., 0] for plane in maps])
    parts = (maps[:, start : start + high] for start in range(0, have[0], high))
    found = list(resized_bands(parts, have[0], want))
    assert len(found) > 1 or 3 * np.prod(want) <= 300
    assert all(band.dtype == np.float32 for band in found)
    np.testing.assert_allclose(np.concatenate(found, 1), whole, rtol=0, atol=1e-6)


@given(st.integers(1, 60), st.integers(1, 200), st.integers(1, 60), st.integers(1, 2000))
def test_any_bands_of_any_height_give_all_rows(have, want, high, most):
    maps = noise(2, have, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "BAND", most)
        parts = (maps[:, start : start + high] for start in range(0, have, high))
        found = np.concatenate(list(resized_bands(parts, have, (want, 3))), 1)
    whole = np.stack([resize_image(plane[..., None], (want, 3))[..., 0] for plane in maps])
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-6)
