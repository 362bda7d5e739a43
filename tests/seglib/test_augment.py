import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.augment import Augmenter
from seglib.config import read_params
from seglib.errors import SegError
from seglib.io.sample import IGNORE
from seglib.sections.augment import preset

SHIFT = [{"Affine": {"translate_percent": [0.2, 0.3], "p": 1.0}}]
BRIGHTER = [{"RandomBrightnessContrast": {"brightness_limit": [0.2, 0.3], "contrast_limit": [0.0, 0.0], "p": 1.0}}]
PRESETS = [name for name in read_params()["augment"] if name != "name"]
MIRROR = [{"HorizontalFlip": {"p": 1.0}}]


def pair(dtype="uint8", channels=1, low=0, high=200):
    random = np.random.default_rng(0)
    image = random.integers(low, high, (24, 32, channels)).astype(dtype)
    return image, random.integers(0, 3, (24, 32)).astype(np.uint8)


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("uint16", 0, 60_000), ("int16", -1000, 3000), ("float32", -5, 900)]
)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_wide_values_keep_their_scale(dtype, low, high, channels):
    image, mask = pair(dtype, channels, low, high)
    mirrored, labels = Augmenter(MIRROR)(image.copy(), mask.copy(), 0)
    assert mirrored.dtype == np.float32
    np.testing.assert_allclose(mirrored, image[:, ::-1], atol=(high - low) * 1e-6)
    np.testing.assert_array_equal(labels, mask[:, ::-1])


def test_bytes_stay_bytes():
    image, mask = pair(channels=3)
    mirrored, labels = Augmenter(MIRROR)(image.copy(), mask.copy(), 0)
    assert mirrored.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(mirrored, image[:, ::-1])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["int16", "float32"]))
def test_wide_values_stay_between_their_least_and_largest(seed, dtype):
    image, mask = pair(dtype, 1, -1000, 3000)
    shifted, _ = Augmenter([*SHIFT, *BRIGHTER])(image.copy(), mask.copy(), seed)
    assert image.min() - 1 <= shifted.min() <= shifted.max() <= image.max() + 1


def test_brightness_moves_wide_values_as_it_moves_bytes():
    image, mask = pair("uint16", 1, 0, 200)
    image[0, 0], image[0, 1] = 0, 400
    brighter, _ = Augmenter(BRIGHTER)(image.copy(), mask.copy(), 0)
    assert 0.2 * 400 - 1 <= (brighter - image)[image < 250].mean() <= 0.3 * 400 + 1


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_a_plain_image_stays_finite(dtype):
    image = np.full((24, 32, 1), 7, dtype)
    result, _ = Augmenter([*SHIFT, *MIRROR])(image, np.zeros((24, 32), np.uint8), 0)
    assert np.isfinite(result).all()
    assert dtype == "uint8" or (result == 7).all()


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_the_seed_alone_decides(dtype):
    image, mask = pair(dtype)
    augmenter = Augmenter([*SHIFT, {"HorizontalFlip": {"p": 0.5}}])

    def result(seed):
        return augmenter(image.copy(), mask.copy(), seed)[0]

    first = result(1)
    assert not np.array_equal(first, result(2))
    np.testing.assert_array_equal(first, result(1))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_presets_take_colour_images_of_every_type(name, dtype):
    image, mask = pair(dtype, 3)
    result, labels = Augmenter(preset(read_params(), name))(image, mask, 3)
    assert result.shape == image.shape
    assert result.dtype == dtype
    assert np.isfinite(result).all()
    assert set(np.unique(labels)) <= {0, 1, 2, IGNORE}


@pytest.mark.parametrize("name", PRESETS)
def test_what_geometry_brings_in_from_outside_is_ignored(name):
    augmenter = Augmenter(preset(read_params(), name))
    image, mask = pair(channels=3)[0], np.ones((24, 32), np.uint8)
    found = {int(value) for seed in range(40) for value in np.unique(augmenter(image.copy(), mask.copy(), seed)[1])}
    assert found == ({1} if name == "none" else {1, IGNORE})


def test_a_preset_may_say_what_comes_in_from_outside():
    entry = {"Affine": {**SHIFT[0]["Affine"], "fill_mask": 2}}
    assert set(np.unique(Augmenter([entry])(pair()[0], np.ones((24, 32), np.uint8), 0)[1])) == {1, 2}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([{"HorizontalFlipp": {}}], "has no 'HorizontalFlipp'; did you mean 'HorizontalFlip'"),
        ([{"HorizontalFlip": {"q": 1}}], "augment: HorizontalFlip: .*q"),
        ([{"HorizontalFlip": {"p": 7}}], "augment: HorizontalFlip:"),
    ],
)
def test_wrong_transforms_are_refused_in_words(entries, said):
    with pytest.raises(SegError, match=said):
        Augmenter(entries)
