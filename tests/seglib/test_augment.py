import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.augment import Augmenter
from seglib.config import read_params
from seglib.errors import SegError
from seglib.io.sample import IGNORE
from seglib.sections.augment import leaves, preset

SHIFT = [{"Affine": {"translate_percent": [0.2, 0.3], "p": 1.0}}]
BRIGHTER = [{"RandomBrightnessContrast": {"brightness_limit": [0.2, 0.3], "contrast_limit": [0.0, 0.0], "p": 1.0}}]
PARAMS = read_params()
VOLUMES = ("volume", "ct_volume")
PRESETS = [name for name in PARAMS["augment"] if name not in ("name", *VOLUMES)]
COLOUR = ("photograph", "endoscopy")
CASES = [
    (name, dtype, channels)
    for name in PRESETS
    for dtype in ("uint8", "uint16", "int16", "float32")
    for channels in (1, 3, 5)
    if channels == 3 or name not in COLOUR
]
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


@pytest.mark.parametrize(("name", "dtype", "channels"), CASES)
def test_the_presets_keep_extent_and_type_and_bring_in_no_other_mask_value(name, dtype, channels):
    image, mask = pair(dtype, channels)
    mask[mask == 1] = 5  # as the sum of two overlapping classes' bits
    augmenter = Augmenter(preset(PARAMS, name), channels, dtype)
    for seed in range(8):
        result, labels = augmenter(image.copy(), mask.copy(), seed)
        assert (result.shape, labels.shape) == (image.shape, mask.shape)
        assert (result.dtype, labels.dtype) == ("uint8" if dtype == "uint8" else "float32", "uint8")
        assert np.isfinite(result).all()
        assert set(np.unique(labels)) <= {0, 2, 5, IGNORE}


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_draw_the_same_whoever_asked_before(name):
    def drawn(seeds):
        augmenter = Augmenter(preset(PARAMS, name))
        return {seed: b"".join(a.tobytes() for a in augmenter(*pair(channels=3), seed)) for seed in seeds}

    forward = drawn(range(12))
    assert drawn(reversed(range(12))) == forward
    assert drawn([7]) == {7: forward[7]}
    assert (len(set(forward.values())) > 3) == (name != "none")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_presets_move_mask_and_image_together(name, dtype):
    # a bright disc in the image wherever the mask has it, so that both tell where it went
    rows, columns = np.mgrid[:64, :64]
    mask = ((rows - 24) ** 2 + (columns - 36) ** 2 < 14**2).astype(np.uint8)
    image = np.repeat((60 + 120 * mask)[..., None], 3, axis=2).astype(dtype)
    augmenter = Augmenter(preset(PARAMS, name), 3, dtype)
    for seed in range(12):
        result, labels = augmenter(image.copy(), mask.copy(), seed)
        inside, outside = (np.median(result[labels == value]) for value in (1, 0))
        bright = np.abs(result[..., 1] - inside) < np.abs(result[..., 1] - outside)
        assert (bright == (labels == 1))[labels != IGNORE].mean() > 0.9


@pytest.mark.parametrize("name", PRESETS)
def test_what_geometry_brings_in_from_outside_is_ignored(name):
    """Dropout's holes are not from outside, so that the mask keeps its class under them."""
    augmenter = Augmenter(preset(PARAMS, name))
    image, mask = pair(channels=3)[0], np.ones((24, 32), np.uint8)
    found = {int(value) for seed in range(40) for value in np.unique(augmenter(image.copy(), mask.copy(), seed)[1])}
    assert found == ({1} if name == "none" else {1, IGNORE})


def test_a_preset_may_say_what_comes_in_from_outside():
    entry = {"Affine": {**SHIFT[0]["Affine"], "fill_mask": 2}}
    assert set(np.unique(Augmenter([entry])(pair()[0], np.ones((24, 32), np.uint8), 0)[1])) == {1, 2}


@pytest.mark.parametrize("kind", ["CoarseDropout", "GridDropout", "Erasing"])
def test_dropout_hides_pixels_and_leaves_the_mask(kind):
    image, mask = pair(low=50)
    result, labels = Augmenter([{kind: {"p": 1.0}}])(image.copy(), mask.copy(), 0)
    assert (result == 0).any()
    np.testing.assert_array_equal(labels, mask)


@pytest.mark.parametrize("kind", ["ElasticTransform", "GridDistortion", "RandomResizedCrop", "Perspective"])
def test_masks_take_the_nearest_value(kind):
    mask = np.where(np.random.default_rng(0).random((40, 40)) < 0.5, 1, 64).astype(np.uint8)
    options = {"alpha": 300, "sigma": 5} if kind == "ElasticTransform" else {}
    augmenter = Augmenter([{kind: {"p": 1.0, **options}}])
    found = [augmenter(mask[..., None].copy(), mask.copy(), seed)[1] for seed in range(5)]
    assert set(np.unique(found)) <= {1, 64, IGNORE}
    assert any((labels != mask).any() for labels in found)


@pytest.mark.parametrize("shape", [(24, 32), (40, 17), (32, 32)])
@pytest.mark.parametrize("kind", ["RandomResizedCrop", "RandomRotate90"])
def test_every_image_keeps_its_own_extent(kind, shape):
    augmenter = Augmenter([{kind: {"p": 1.0}}])
    image = np.arange(np.prod(shape)).reshape(*shape, 1).astype(np.uint16)
    results = [augmenter(image.copy(), np.zeros(shape, np.uint8), seed) for seed in range(12)]
    assert {result.shape[:2] for result, _ in results} == {labels.shape for _, labels in results} == {shape}
    assert any((result != image).any() for result, _ in results)


def test_a_resized_crop_may_have_an_extent_of_its_own():
    augmenter = Augmenter([{"RandomResizedCrop": {"image_size": [16, 20], "p": 1.0}}])
    result, labels = augmenter(*pair(), 0)
    assert (result.shape, labels.shape) == ((16, 20, 1), (16, 20))


def test_square_images_turn_by_every_quarter():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    augmenter = Augmenter([{"RandomRotate90": {"p": 1.0}}])
    found = {augmenter(image.copy(), image[..., 0].copy(), seed)[0].tobytes() for seed in range(40)}
    assert found == {np.rot90(image, k).tobytes() for k in range(4)}


def flip(kind, p=1.0):
    return {kind: {"p": p}}


FLIPS = [flip("HorizontalFlip"), flip("VerticalFlip")]


@pytest.mark.parametrize(
    ("nest", "made"),
    [
        ({"OneOf": {"transforms": FLIPS, "p": 1.0}}, {"h", "v"}),
        ({"OneOf": {"transforms": [flip("HorizontalFlip"), flip("VerticalFlip", 0.0)], "p": 1.0}}, {"h"}),
        ({"OneOf": {"transforms": FLIPS, "p": 0.5}}, {"", "h", "v"}),
        ({"OneOf": {"transforms": FLIPS, "p": 0.0}}, {""}),
        ({"SomeOf": {"transforms": FLIPS, "n": 2, "p": 1.0}}, {"hv"}),
        ({"SomeOf": {"transforms": FLIPS, "n": 1, "p": 1.0}}, {"h", "v"}),
        ({"RandomOrder": {"transforms": FLIPS, "n": 2, "p": 1.0}}, {"hv"}),
        ({"Sequential": {"transforms": FLIPS, "p": 0.5}}, {"", "hv"}),
        ({"OneOf": {"transforms": [{"Sequential": {"transforms": FLIPS, "p": 1.0}}, FLIPS[0]], "p": 1}}, {"hv", "h"}),
    ],
)
def test_nests_choose_among_their_transforms(nest, made):
    image, mask = pair()
    turned = {"": image, "h": image[:, ::-1], "v": image[::-1], "hv": image[::-1, ::-1]}
    augmenter = Augmenter(preset({"augment": {"mine": [nest]}}, "mine"), 1)
    found = {augmenter(image.copy(), mask.copy(), seed)[0].tobytes() for seed in range(60)}
    assert found == {turned[key].tobytes() for key in made}


@pytest.mark.parametrize(
    ("nest", "said"),
    [
        ({}, r"augment\.mine\[1\]\.OneOf: must have `transforms`, a list of at least one \(found \{\}\)"),
        ({"transforms": []}, r"augment\.mine\[1\]\.OneOf: must have `transforms`"),
        ({"transforms": "Blur"}, r"augment\.mine\[1\]\.OneOf\.transforms: must be a list"),
        ({"transforms": ["Blur"]}, r"augment\.mine\[1\]\.OneOf\.transforms\[0\]: must read `Transform: "),
        ({"transforms": [{"OneOf": {"p": 1}}]}, r"augment\.mine\[1\]\.OneOf\.transforms\[0\]\.OneOf: must have"),
        ({"transforms": FLIPS, "p": 1.5}, r"augment\.mine\[1\]\.OneOf\.p: must be a probability .*found 1\.5"),
        ({"transforms": FLIPS, "p": True}, r"augment\.mine\[1\]\.OneOf\.p: must be a probability .*found True"),
    ],
)
def test_malformed_nests_are_refused_before_anything_is_built(nest, said):
    with pytest.raises(SegError, match=said):
        preset({"augment": {"mine": [FLIPS[0], {"OneOf": nest}]}}, "mine")


def test_the_leaves_of_a_preset_leave_out_its_nests():
    entries = [{"OneOf": {"transforms": [{"Sequential": {"transforms": FLIPS}}, {"Blur": {"p": 1.0}}]}}, *SHIFT]
    assert [name for name, _ in leaves(entries)] == ["HorizontalFlip", "VerticalFlip", "Blur", "Affine"]


@pytest.mark.parametrize(
    ("name", "channels", "dtype", "said"),
    [
        ("endoscopy", 1, "uint8", "HueSaturationValue does not take uint8 images of 1 channel .*choose another"),
        ("photograph", 4, "uint8", "HueSaturationValue does not take uint8 images of 4 channels"),
        ("nested", 1, "int16", "ToGray does not take int16 images of 1 channel"),
    ],
)
def test_transforms_that_do_not_take_the_images_are_told_before_training(name, channels, dtype, said):
    presets = {**PARAMS["augment"], "nested": [{"Sequential": {"transforms": [{"ToGray": {"p": 0.01}}]}}]}
    with pytest.raises(SegError, match=said):
        Augmenter(preset({"augment": presets}, name), channels, dtype)


def test_a_crop_larger_than_the_trial_is_no_reason_to_refuse():
    augmenter = Augmenter([{"RandomCrop": {"height": 100, "width": 90, "p": 1.0}}], 1)
    assert augmenter(np.zeros((120, 120, 1), np.uint8), np.zeros((120, 120), np.uint8), 0)[1].shape == (100, 90)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([{"OneOf": {"transforms": [{"HorizontalFlipp": {}}]}}], "has no 'HorizontalFlipp'; did you mean"),
        ([{"OneOv": {"transforms": FLIPS}}], "has no 'OneOv'; did you mean 'OneOf'"),
        ([{"OneOf": {"transforms": [{"Blur": {"q": 1}}]}}], "augment: Blur: .*q"),
        ([{"OneOf": {"transforms": FLIPS, "q": 1}}], "augment: OneOf: .*q"),
        ([{"OneOf": {"transforms": [flip("HorizontalFlip", 0.0)]}}], "augment: OneOf: p .* are weights"),
        ([{"SomeOf": {"transforms": FLIPS, "n": 3}}], "augment: SomeOf: .*greater than number"),
        ([{"Affine": {"mask_interpolation": 1}}], "Affine.mask_interpolation: 1 would mix mask values"),
        ([{"HorizontalFlipp": {}}], "has no 'HorizontalFlipp'; did you mean 'HorizontalFlip'"),
        ([{"HorizontalFlip": {"q": 1}}], "augment: HorizontalFlip: .*q"),
        ([{"HorizontalFlip": {"p": 7}}], "augment: HorizontalFlip:"),
    ],
)
def test_wrong_transforms_are_refused_in_words(entries, said):
    with pytest.raises(SegError, match=said):
        Augmenter(entries)


def test_transforms_draw_apart():
    """A library that seeds each transform alike would mirror along both axes or along none."""
    image, mask = pair()
    augmenter = Augmenter([flip("HorizontalFlip", 0.5), flip("VerticalFlip", 0.5)])
    found = {augmenter(image.copy(), mask.copy(), seed)[0].tobytes() for seed in range(40)}
    assert found == {flipped.tobytes() for flipped in (image, image[::-1], image[:, ::-1], image[::-1, ::-1])}


@pytest.mark.parametrize("name", ["Normalize", "ToFloat"])
def test_transforms_that_normalise_are_refused(name):
    with pytest.raises(SegError, match=r"make float32 of 8-bit images.*: take them out"):
        Augmenter([{name: {"p": 1.0}}])(*pair(), 0)


def test_what_a_transform_raises_is_told():
    with pytest.raises(SegError, match=r"augment: .*take it out"):
        Augmenter([{"RandomCrop": {"height": 200, "width": 200, "p": 1.0}}])(*pair(), 0)
