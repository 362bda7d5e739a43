import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.augment import Augmenter
from seglib.errors import SegError
from seglib.io.sample import IGNORE
from seglib.loading import CachedSamples, channel_statistics, collate, ordered_loader, random_crop, training_loader


def sample(seed, height=8, width=10):
    random = np.random.default_rng(seed)
    return {
        "image": torch.from_numpy(random.integers(0, 256, (3, height, width), dtype=np.uint8)),
        "mask": torch.from_numpy(random.integers(0, 2, (height, width), dtype=np.uint8)),
    }


def cached(**kwargs):
    cache = {f"case{i}": sample(i) for i in range(7)}
    return CachedSamples(cache, list(cache), **kwargs)


def test_unequal_sizes_are_padded_with_ignored_pixels():
    small, large = sample(0, 4, 9), sample(1, 6, 5)
    images, masks = collate([(small["image"], small["mask"]), (large["image"], large["mask"])])
    assert images.shape == (2, 3, 6, 9)
    assert torch.equal(images[0, :, :4], small["image"])
    assert torch.equal(masks[1, :, :5], large["mask"])
    assert (masks[0, 4:] == IGNORE).all()
    assert (masks[1, :, 5:] == IGNORE).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_every_type_of_image_is_stacked_and_padded(dtype):
    pixels = np.random.default_rng(0).integers(0, 30_000, (2, 3, 4, 5)).astype(dtype)
    images = [torch.from_numpy(pixels[0]), torch.from_numpy(pixels[1, :, :3])]
    masks = [torch.ones(image.shape[1:], dtype=torch.uint8) for image in images]
    stacked, labels = collate(list(zip(images, masks, strict=True)))
    assert stacked.numpy().dtype == dtype
    np.testing.assert_array_equal(stacked[0], pixels[0])
    np.testing.assert_array_equal(stacked[1, :, :3], pixels[1, :, :3])
    assert (labels[1, 3] == IGNORE).all()


def test_volumes_are_padded_along_every_axis():
    pairs = [(torch.ones(2, *shape), torch.ones(shape, dtype=torch.uint8)) for shape in ((2, 5, 4), (3, 4, 6))]
    images, masks = collate(pairs)
    assert images.shape == (2, 2, 3, 5, 6)
    assert [(mask == 1).sum().item() for mask in masks] == [40, 72]
    assert ((masks == 1) | (masks == IGNORE)).all()


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


def test_a_crop_follows_from_seed_epoch_and_id_alone():
    cache = {name: sample(7, 40, 50) for name in "abc"}

    def crop(place, ids="abc", seed=0):
        return CachedSamples(cache, list(ids), seed, crop=(8, 8))[place][0]

    assert crop((1, 0)).shape == (3, 8, 8)
    assert torch.equal(crop((1, 0)), crop((1, 2), ids="cba"))
    others = [crop((2, 0)), crop((1, 1)), crop((1, 0), seed=1)]
    assert not any(torch.equal(crop((1, 0)), other) for other in others)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_crops_of_every_type_are_augmented_and_loaded(dtype):
    random = np.random.default_rng(0)
    cache = {
        f"case{i}": {
            "image": torch.from_numpy(random.integers(0, 9000 if dtype != "uint8" else 255, (1, 20, 24)).astype(dtype)),
            "mask": torch.from_numpy(random.integers(0, 2, (20, 24), dtype=np.uint8)),
        }
        for i in range(4)
    }
    samples = CachedSamples(cache, list(cache), 0, Augmenter([{"HorizontalFlip": {"p": 0.5}}]), (16, 32))
    images, masks = next(iter(training_loader(samples, 4, 0)[0]))
    assert images.shape == (4, 1, 16, 32)
    assert images.numpy().dtype == ("uint8" if dtype == "uint8" else "float32")
    assert ((masks == IGNORE).sum((1, 2)) == 16 * 8).all()


def test_samples_that_the_cache_lacks_are_named():
    with pytest.raises(SegError, match="cache lacks: gone; run `dvc repro`"):
        CachedSamples({"a": sample(0)}, ["a", "gone"])


def test_validation_pads_nothing_where_sizes_differ():
    cache = {"a": sample(0, 4, 9), "b": sample(1, 6, 5)}
    batches = list(ordered_loader(CachedSamples(cache, ["a", "b"]), batch_size=2, workers=0))
    assert [images.shape for images, _ in batches] == [(1, 3, 4, 9), (1, 3, 6, 5)]


def test_statistics_are_those_of_numpy():
    samples = cached()
    mean, std = channel_statistics(samples)
    pixels = np.stack([samples.cache[i]["image"].numpy() for i in samples.ids]).astype(float)
    np.testing.assert_allclose(mean, pixels.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(std, pixels.std((0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
@pytest.mark.parametrize("shape", [(2, 8, 9), (2, 3, 8, 9)])
def test_statistics_of_every_type_and_shape_are_those_of_numpy(dtype, shape):
    random = np.random.default_rng(0)
    images = [(random.random(shape) * 20_000 - 5000 * (dtype != "uint16")).astype(dtype) for _ in range(3)]
    cache = {
        str(i): {"image": torch.from_numpy(image), "mask": torch.zeros(shape[1:])} for i, image in enumerate(images)
    }
    mean, std = channel_statistics(CachedSamples(cache, list(cache)))
    axes = (0, *range(2, len(shape) + 1))
    np.testing.assert_allclose(mean, np.stack(images).astype(float).mean(axes), rtol=1e-6)
    np.testing.assert_allclose(std, np.stack(images).astype(float).std(axes), rtol=1e-6)


def test_statistics_of_many_large_values_do_not_overflow():
    image = torch.tensor([[[0, 2_000_000_000]]])  # the squares of four exceed 64 bits
    cache = {str(i): {"image": image, "mask": torch.zeros(1, 2)} for i in range(4)}
    mean, std = channel_statistics(CachedSamples(cache, list(cache)))
    assert (mean.item(), std.item()) == (1e9, 1e9)


def test_constant_channel_has_deviation_one():
    _, std = channel_statistics(
        CachedSamples({"a": {"image": torch.full((1, 4, 4), 9), "mask": torch.zeros(4, 4)}}, ["a"])
    )
    assert std.tolist() == [1]


def batches_of(epoch, workers=0, seed=3):
    flips = Augmenter([{"HorizontalFlip": {"p": 0.5}}, {"RandomBrightnessContrast": {"p": 1.0}}])
    loader, sampler = training_loader(cached(seed=seed, augmenter=flips), batch_size=2, workers=workers)
    sampler.epoch = epoch
    return list(loader)


def same(first, second):
    return all(torch.equal(a, b) for one, two in zip(first, second, strict=True) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_do_not_depend_on_the_number_of_workers(workers):
    assert same(batches_of(epoch=1), batches_of(epoch=1, workers=workers))


def test_every_epoch_is_augmented_and_ordered_anew_and_repeats_itself():
    assert same(batches_of(epoch=1), batches_of(epoch=1))
    assert not same(batches_of(epoch=1), batches_of(epoch=2))
    assert not same(batches_of(epoch=1), batches_of(epoch=1, seed=4))


def test_augmentation_leaves_the_cache_alone():
    samples = cached(augmenter=Augmenter([{"RandomBrightnessContrast": {"p": 1.0}}]))
    before = {key: value["image"].clone() for key, value in samples.cache.items()}
    assert not torch.equal(samples[(1, 0)][0], before["case0"])
    assert all(torch.equal(samples.cache[key]["image"], before[key]) for key in before)
