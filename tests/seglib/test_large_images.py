"""Large images in windows and bands: the numbers of the whole."""

import numpy as np
import pytest

from seglib import bands, large_images
from seglib.errors import SegError
from seglib.intensity import Intensity
from seglib.io.resize import geometry
from seglib.large_images import LargeImages
from tests.model_cards import card
from tests.predicting import THREE, predictor


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(bands, "BAND", 2000)
    monkeypatch.setattr(large_images, "MOST_VALUES", 1000)


def noise(*shape, dtype="uint8"):
    return np.random.default_rng(0).integers(0, 255, shape).astype(dtype)


def both(own, image, spacing=None, **settings):
    """The probabilities of the image at once, and in bands."""
    asked = predictor(own, **settings)
    intensity = Intensity(own.spec, asked.pixels)
    limits, shape = intensity.limits_of(image), geometry(image.shape[:-1], spacing, asked.pixels)
    large = LargeImages(asked, intensity)
    assert large.is_large(shape)
    found = list(large.bands(image, limits, shape))
    assert len(found) > 1
    return asked.predict(intensity.apply(image, limits), spacing).own_size, np.concatenate(found, 1)


HEADS = [{}, {"sigmoid": True}, {"sigmoid": True, "overlapping": True}]


@pytest.mark.parametrize("head", HEADS, ids=["softmax", "sigmoid", "overlapping"])
@pytest.mark.parametrize(
    "asked",
    [
        {"image_size": [24, 32]},
        {"image_size": 96, "resize": "pad"},
        {"image_size": 32, "resize": "native"},
        {"image_size": 1.0, "spacing": [1.0, 2.0]},
        {"image_size": 32, "resize": "native", "spacing": [1.0, 2.0]},
    ],
    ids=["stretch", "pad", "native", "spacing", "native with spacing"],
)
def test_bands_have_the_probabilities_of_the_whole(asked, head):
    whole, found = both(card(classes=THREE, **asked, **head), noise(91, 63, 3), (1.5, 1.5))
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("modality", ["mri", "ct"])
def test_windows_have_the_intensities_of_the_whole_image(modality):
    own = card(modality=modality, channels=1, image_size=32, resize="native", percentiles=[1.0, 99.0])
    whole, found = both(own, noise(91, 63, 1, dtype="int16"))
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-6)


def test_a_volume_in_bands():
    own = card(dims=3, channels=1, image_size=16, resize="native", spacing=[1.0, 1.0, 1.0])
    whole, found = both(own, noise(20, 30, 26, 1, dtype="int16"), (2.0, 1.0, 1.0))
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-6)


def test_views_are_averaged_window_by_window():
    """Windows of a square image that lie symmetrically: the mirror image of each is a window of the mirror image."""
    own = card(image_size=32, resize="native")
    whole, found = both(own, noise(96, 96, 3), flips=True, rotations=True)
    np.testing.assert_allclose(found, whole, rtol=0, atol=0.05)
    plain, _ = both(own, noise(96, 96, 3))
    assert np.abs(found - plain).mean() > 2 * np.abs(found - whole).mean()


def test_a_model_without_image_size_sees_windows_beyond_a_limit(monkeypatch):
    own, image = card(image_size=1.0), noise(120, 130, 3)
    monkeypatch.setattr(large_images, "AT_ONCE", 64 * 64)
    monkeypatch.setattr(large_images, "TILES", {2: 64})
    whole, found = both(own, image)
    assert found.shape == whole.shape == (2, 120, 130)
    np.testing.assert_allclose(found, whole, rtol=0, atol=0.2)
    assert np.abs(found - whole).mean() < 0.01
    assert not np.array_equal(found, whole)


def test_other_scales_are_refused_in_windows():
    own = card(image_size=32, resize="native")
    with pytest.raises(SegError, match=r"scales: \[1.0, 1.5\], but an image of \(91, 63\) pixels .*set \[1.0\]"):
        both(own, noise(91, 63, 3), scales=[1.0, 1.5])


def test_what_is_small_is_not_large(monkeypatch):
    monkeypatch.setattr(large_images, "MOST_VALUES", 2 * 91 * 63)
    asked = predictor(card(image_size=1.0))
    large = LargeImages(asked, Intensity(asked.card.spec, asked.pixels))
    assert not large.is_large(geometry((91, 63), None, asked.pixels))
    assert large.is_large(geometry((91, 64), None, asked.pixels))
