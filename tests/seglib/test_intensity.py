import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.intensity import Intensity
from seglib.io.sample import Sample, SegClass, Spec
from seglib.sections.pixels import Pixels


def intensity(modality, window=(-100.0, 400.0), percentiles=(1.0, 99.0)):
    spec = Spec((SegClass("background", (0, 0, 0)), SegClass("one", (1, 1, 1))), 1, modality, "", "")
    pixels = Pixels(
        image_size=1.0, resize="stretch", spacing=[], window=list(window), percentiles=list(percentiles)
    )  # fmt: skip
    return Intensity(spec, pixels)


def sample(name, **fields):
    nothing = np.zeros((1, 1, 1))
    return Sample(name, "group", lambda: nothing, lambda: nothing, str, **fields)


def brought(known, image, **fields):
    """The limits of a lone sample, and its image within them."""
    limits = known.limits(sample("a", **fields), image)
    return limits, known.apply(image, limits)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32", "uint8"])
def test_ct_is_clipped_to_the_window_in_its_own_type(dtype):
    least = 0 if dtype.startswith("u") else -1000
    image = np.linspace(least, 250, 60).astype(dtype).reshape(6, 10, 1)
    limits, clipped = brought(intensity("ct", (-100.0, 200.0)), image)
    assert limits == ([-100], [200])
    assert clipped.dtype == dtype
    np.testing.assert_array_equal(clipped, image.astype(float).clip(-100, 200).astype(dtype))


@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8"])
@pytest.mark.parametrize("window", [(-90_000.0, -80_000.0), (80_000.0, 90_000.0), (-90_000.0, 90_000.0)])
def test_a_window_beyond_the_images_type_gives_its_bounds(dtype, window):
    image = np.array([0, 7, 100], dtype).reshape(1, 3, 1)
    _, clipped = brought(intensity("ct", window), image)
    assert clipped.dtype == dtype
    expected = image if window[0] < 0 < window[1] else image.astype(float).clip(*window)
    bounds = np.iinfo(dtype)
    np.testing.assert_array_equal(clipped, expected.clip(bounds.min, bounds.max))


@pytest.mark.parametrize("modality", ["photograph", "endoscopy", "microscopy"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_pictures_stay_as_they_are(modality, dtype):
    image = np.arange(24).reshape(4, 6, 1).astype(dtype)
    limits, same = brought(intensity(modality), image)
    assert limits is None
    assert same is image


@pytest.mark.parametrize("modality", ["mri", "pet"])
def test_8_bits_stay_as_they_are(modality):
    image = np.arange(24, dtype=np.uint8).reshape(4, 6, 1)
    limits, same = brought(intensity(modality), image)
    assert limits is None
    assert same is image


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32"])
def test_mri_is_scaled_between_its_percentiles(dtype):
    image = np.arange(1001).astype(dtype).reshape(1, 1001, 1)
    limits, scaled = brought(intensity("mri", percentiles=(10.0, 90.0)), image)
    assert limits == ([100], [900])
    assert scaled.dtype == np.float32
    assert (scaled[0, :101] == 0).all()
    assert (scaled[0, 900:] == 1).all()
    assert scaled[0, 500] == pytest.approx(0.5)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["int16", "uint16", "float32"]), st.floats(1e-3, 100))
def test_scaled_images_stay_within_0_and_1(seed, dtype, spread):
    image = (np.random.default_rng(seed).exponential(spread, (9, 8, 1)) ** 2).clip(0, 30_000).astype(dtype)
    _, scaled = brought(intensity("mri"), image)
    assert scaled.dtype == np.float32
    assert 0 <= scaled.min() <= scaled.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1001), (7, 11, 13)])
def test_each_channel_of_mri_has_limits_of_its_own(shape):
    ramp = np.arange(1001, dtype=np.float32).reshape(shape)
    image = np.stack([ramp, ramp * 10 - 4000, np.full_like(ramp, 7)], -1)
    limits, scaled = brought(intensity("mri", percentiles=(10.0, 90.0)), image)
    assert limits == ([100, -3000, 7], [900, 5000, 7])
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[..., 0], scaled[..., 1], atol=1e-6)
    assert (scaled[..., 2] == 0).all()


def test_slices_are_scaled_by_the_percentiles_of_the_whole_volume():
    volume = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5, 1)
    known = intensity("mri", percentiles=(0.0, 100.0))
    reads = []
    slices = [sample(f"v-{z}", volume="v", whole=lambda: reads.append(1) or volume) for z in range(3)]
    limits = [known.limits(each, volume[z]) for z, each in enumerate(slices)]
    assert limits == [([0], [59])] * 3
    assert len(reads) == 1
    assert known.apply(volume[1], limits[1]).max() == pytest.approx(39 / 59)


def test_a_slice_whose_volume_cannot_be_read_has_percentiles_of_its_own():
    known = intensity("mri", percentiles=(0.0, 100.0))
    bright, dark = (np.array([0, top], np.int16).reshape(1, 2, 1) for top in (1000, 10))
    limits = [known.limits(sample(name, volume="v"), image) for name, image in (("a", bright), ("b", dark))]
    assert limits == [([0], [1000]), ([0], [10])]


def test_every_volume_has_limits_of_its_own():
    known = intensity("pet", percentiles=(0.0, 100.0))
    for top in (10, 1000):
        volume = np.array([0, top], np.uint16).reshape(1, 1, 2, 1)
        own = sample(f"v{top}-0", volume=f"v{top}", whole=lambda: volume)  # noqa: B023
        assert known.limits(own, volume[0]) == ([0], [top])


@pytest.mark.parametrize("modality", ["mri", "ct", "photograph"])
@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_what_is_no_sample_has_the_limits_of_one(modality, dtype):
    known = intensity(modality, percentiles=(5.0, 90.0))
    volume = np.arange(3 * 4 * 5).astype(dtype).reshape(3, 4, 5, 1)
    of_slices = {str(known.limits(sample(f"v-{z}", volume="v", whole=lambda: volume), volume[z])) for z in range(3)}
    assert of_slices == {str(known.limits_of(volume))}
    assert known.limits_of(volume[1]) == known.limits(sample("alone"), volume[1])


def test_ct_needs_no_look_at_the_volume():
    def unread():
        raise AssertionError("read")

    limits = intensity("ct").limits(sample("a", volume="v", whole=unread), np.zeros((2, 2, 1), np.int16))
    assert limits == ([-100.0], [400.0])


@pytest.mark.parametrize("value", [0, 5])
def test_limits_that_are_the_same_make_no_number_overflow(value):
    image = np.full((100, 100, 1), value, np.int16)
    image[0, :3] = 30_000
    limits, scaled = brought(intensity("mri"), image)
    assert limits == ([value], [value])
    assert np.isin(scaled, [0, 1]).all()
