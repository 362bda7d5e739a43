import numpy as np
import pytest
import torch

from seglib.augment import Augmenter
from seglib.io.sample import IGNORE
from seglib.loading import CachedSamples, channel_statistics, collate, ordered_loader, training_loader


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
