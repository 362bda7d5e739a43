import numpy as np
import pytest

from seglib.config import read_params
from seglib.errors import SegError
from seglib.io.sample import IGNORE
from seglib.sections.augment import preset
from seglib.volume_augment import INTENSITY, MASK_OPTIONS, VolumeAugmenter

PARAMS = read_params()
PRESETS = ("volume", "ct_volume", "none")
EXTENT = (10, 12, 14)
NEEDED = {
    "RandAffine": {"rotate_range": [0.3, 0.3, 0.3], "translate_range": [3, 3, 3]},
    "RandCoarseDropout": {"holes": 2, "spatial_size": 3, "fill_value": 0.0},
    "RandRotate": {"range_x": 0.4},
    "RandRotate90": {"spatial_axes": [0, 1]},
    "RandScaleIntensity": {"factors": 0.2},
    "RandScaleIntensityFixedMean": {"factors": 0.2},
    "RandShiftIntensity": {"offsets": 0.2},
    "RandStdShiftIntensity": {"factors": 0.2},
    "RandZoom": {"min_zoom": 0.6, "max_zoom": 0.8},
}


def pair(dtype="uint8", channels=1, extent=EXTENT, low=0, high=200):
    random = np.random.default_rng(0)
    image = random.integers(low, high, (*extent, channels)).astype(dtype)
    return image, random.choice(np.array([0, 2, 5, IGNORE], np.uint8), extent)


def one(name, **options):
    return VolumeAugmenter([{name: {"prob": 1.0, **NEEDED.get(name, {}), **options}}])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_presets_keep_extent_and_type_and_bring_in_no_other_mask_value(name, dtype, channels):
    image, mask = pair(dtype, channels)
    augmenter = VolumeAugmenter(preset(PARAMS, name))
    for seed in range(6):
        result, labels = augmenter(image.copy(), mask.copy(), seed)
        assert (result.shape, labels.shape) == (image.shape, mask.shape)
        assert (result.dtype, labels.dtype) == ("uint8" if dtype == "uint8" else "float32", "uint8")
        assert type(result) is type(labels) is np.ndarray
        assert np.isfinite(result).all()
        assert set(np.unique(labels)) <= {0, 2, 5, IGNORE}


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_draw_the_same_whoever_asked_before(name):
    def drawn(seeds):
        augmenter = VolumeAugmenter(preset(PARAMS, name))
        return {seed: b"".join(a.tobytes() for a in augmenter(*pair(), seed)) for seed in seeds}

    forward = drawn(range(8))
    assert drawn(reversed(range(8))) == forward
    assert drawn([5]) == {5: forward[5]}
    assert (len(set(forward.values())) > 3) == (name != "none")


@pytest.mark.parametrize("name", [*INTENSITY, *MASK_OPTIONS])
def test_every_transform_follows_the_seed_alone(name):
    image, mask = pair("float32", extent=(12, 12, 12))
    augmenter = one(name, prob=0.5 if name == "RandFlip" else 1.0)
    kept = image.copy(), mask.copy()

    def drawn(seed):
        return [a.tobytes() for a in augmenter(image, mask, seed)]

    draws = {seed: drawn(seed) for seed in range(4)}
    assert [drawn(seed) for seed in (3, 0)] == [draws[seed] for seed in (3, 0)]
    assert len({image for image, _ in draws.values()}) > 1
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(mask, kept[1])


@pytest.mark.parametrize("name", INTENSITY)
def test_intensities_leave_the_mask_alone(name):
    image, mask = pair("int16", low=-1000, high=1000)
    result, labels = one(name)(image, mask, 1)
    np.testing.assert_array_equal(labels, mask)
    assert not np.allclose(result, image, atol=1e-3)


@pytest.mark.parametrize("name", MASK_OPTIONS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_geometry_moves_mask_and_image_together(name, dtype):
    depth, rows, columns = np.mgrid[:20, :20, :20]
    mask = ((depth - 8) ** 2 + (rows - 12) ** 2 + (columns - 8) ** 2 < 36).astype(np.uint8)
    image = (40 + 160 * mask[..., None]).astype(dtype)
    augmenter = one(name)
    for seed in range(3):
        result, labels = augmenter(image, mask, seed)
        inside = labels != IGNORE
        assert ((result[..., 0] > 120) == (labels == 1))[inside].mean() > 0.97
        assert (labels == 1).sum() > 50


def test_a_flip_is_along_the_named_axis():
    image, mask = pair("int16", 2)
    for axis in range(3):
        result, labels = one("RandFlip", spatial_axis=axis)(image, mask, 0)
        np.testing.assert_allclose(result, np.flip(image, axis), atol=1e-3)
        np.testing.assert_array_equal(labels, np.flip(mask, axis))


@pytest.mark.parametrize("name", ["RandAffine", "RandRotate", "RandZoom"])
def test_what_comes_in_from_outside_is_ignored_and_shows_the_border(name):
    image, mask = np.full((16, 16, 16, 1), 70, np.uint8), np.ones((16, 16, 16), np.uint8)
    result, labels = one(name)(image, mask, 3)
    assert set(np.unique(labels)) == {1, IGNORE}
    assert (result == 70).all()


def test_a_shift_leaves_ignored_voxels_behind_it():
    # the range is a drawn one, but a pair of equal limits leaves only one shift
    image, mask = pair("float32", extent=(8, 8, 8))
    _, labels = one("RandAffine", rotate_range=None, translate_range=[[0, 0], [0, 0], [2, 2]])(image, mask, 0)
    np.testing.assert_array_equal(labels[..., :-2], mask[..., 2:])
    assert (labels[..., -2:] == IGNORE).all()


def test_wide_values_keep_their_scale_and_bytes_their_range():
    image, mask = pair("int16", low=-1000, high=3000)
    result, _ = one("RandFlip", spatial_axis=0)(image, mask, 0)
    np.testing.assert_allclose(result, image[::-1], atol=1e-2)
    bright = np.full((6, 6, 6, 1), 250, np.uint8)
    shifted, _ = one("RandShiftIntensity", offsets=[0.2, 0.2])(bright, np.zeros((6, 6, 6), np.uint8), 0)
    assert (shifted == 255).all()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_a_plain_volume_stays_finite(dtype):
    augmenter = VolumeAugmenter(preset(PARAMS, "volume"))
    plain, none = np.full((6, 6, 6, 1), 7, dtype), np.zeros((6, 6, 6), np.uint8)
    results = [augmenter(plain, none, seed)[0] for seed in range(10)]
    assert all(np.isfinite(result).all() for result in results)
    assert dtype == "uint8" or np.abs(np.array(results) - 7).max() < 1e-3


def test_quarter_turns_need_equal_sides():
    with pytest.raises(SegError, match=r"RandRotate90 makes 12×10×14 voxels of 10×12×14; volumes must keep"):
        one("RandRotate90", max_k=1)(*pair(), 0)
    image, mask = pair(extent=(8, 12, 12))
    result, labels = one("RandRotate90", max_k=1, spatial_axes=[1, 2])(image, mask, 0)
    np.testing.assert_array_equal(result, np.rot90(image, 1, (1, 2)))
    np.testing.assert_array_equal(labels, np.rot90(mask, 1, (1, 2)))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"RandFlp": {}}, "'RandFlp' is none; did you mean 'RandFlip'"),
        ({"RandSpatialCrop": {"roi_size": 4}}, "'RandSpatialCrop' is none"),
        ({"RandFlip": {"p": 0.5}}, "augment: RandFlip: no option 'p'"),
        ({"RandFlip": {"prob": 2.0}}, r"augment: RandFlip\.prob: must be a probability from 0 to 1 \(found 2\.0\)"),
        ({"RandCoarseDropout": {"prob": 1.0}}, "augment: RandCoarseDropout: .*holes"),
    ],
)
def test_wrong_transforms_are_refused_in_words(entry, said):
    with pytest.raises(SegError, match=said):
        VolumeAugmenter([entry])
