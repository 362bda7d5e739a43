"""Which library augments what, and that neither is loaded for the other's data."""

import sys

import albumentations
import numpy as np
import pytest

from seglib.augmenters import augmenter
from seglib.errors import SegError
from seglib.sections.augment import OF_VOLUMES
from seglib.volume_augment import INTENSITY, MASK_OPTIONS

IMAGES = [{"OneOf": {"transforms": [{"HorizontalFlip": {"p": 1.0}}]}}, {"Affine": {}}]
VOLUMES = [{"RandFlip": {"prob": 1.0, "spatial_axis": 2}}]


@pytest.mark.parametrize("entries", [[], [{"HorizontalFlip": {"p": 1.0}}]])
def test_images_are_mirrored_by_albumentations(entries):
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    result, mask = augmenter(entries, 2, 3)(image.copy(), image[..., 0].copy(), 0)
    np.testing.assert_array_equal(result, image[:, ::-1] if entries else image)
    np.testing.assert_array_equal(mask, result[..., 0])


@pytest.mark.parametrize("entries", [[], VOLUMES])
def test_volumes_are_mirrored_by_monai(entries):
    image = np.arange(48, dtype=np.uint8).reshape(2, 4, 3, 2)
    result, mask = augmenter(entries, 3, 2)(image.copy(), image[..., 0].copy(), 0)
    np.testing.assert_array_equal(result, image[:, :, ::-1] if entries else image)
    np.testing.assert_array_equal(mask, result[..., 0])


@pytest.mark.parametrize(
    ("entries", "dims", "said"),
    [
        (
            IMAGES,
            3,
            "HorizontalFlip, Affine, made for images, but the samples are volumes; .*: volume, ct_volume or none",
        ),
        (VOLUMES, 2, "RandFlip, made for volumes, but the samples are images; these take augment.name: photograph"),
        ([*IMAGES, *VOLUMES], 2, "augment: RandFlip, made for volumes"),
        ([{"RandomRotate90": {}}], 3, "RandomRotate90, made for images"),
    ],
)
def test_a_preset_of_the_other_kind_is_refused(entries, dims, said):
    with pytest.raises(SegError, match=said):
        augmenter(entries, dims, 1)


def test_colour_transforms_are_refused_on_grey_images():
    with pytest.raises(SegError, match="HueSaturationValue does not take uint8 images of 1 channel"):
        augmenter([{"HueSaturationValue": {}}], 2, 1)


@pytest.mark.parametrize(("dims", "foreign"), [(2, "seglib.volume_augment"), (3, "seglib.augment")])
def test_only_the_library_that_is_needed_is_loaded(dims, foreign, monkeypatch):
    monkeypatch.setitem(sys.modules, foreign, None)  # so that importing it fails
    augmenter([], dims, 1)
    with pytest.raises(ImportError):
        augmenter([], 5 - dims, 1)


def test_no_transform_of_images_is_named_like_one_of_volumes():
    assert [name for name in vars(albumentations) if OF_VOLUMES.match(name)] == []
    assert all(OF_VOLUMES.match(name) for name in (*INTENSITY, *MASK_OPTIONS))
