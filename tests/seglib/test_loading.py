import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.augment import Augmenter
from seglib.errors import SegError
from seglib.io.sample import IGNORE
from seglib.loading import (
    CachedSamples,
    Share,
    ShuffledBatches,
    channel_statistics,
    collate,
    ordered_loader,
    training_loader,
)
from seglib.seeding import seed_for


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
    images, masks = next(iter(training_loader(samples, ShuffledBatches(4, 4, 0), 0)))
    assert images.shape == (4, 1, 16, 32)
    assert images.numpy().dtype == ("uint8" if dtype == "uint8" else "float32")
    assert ((masks == IGNORE).sum((1, 2)) == 16 * 8).all()


def test_samples_that_the_cache_lacks_are_named():
    with pytest.raises(SegError, match="cache lacks: gone; run `dvc repro`"):
        CachedSamples({"a": sample(0)}, ["a", "gone"])


def test_validation_pads_nothing_where_sizes_differ():
    cache = {"a": sample(0, 4, 9), "b": sample(1, 6, 5)}
    samples = CachedSamples(cache, ["a", "b"])
    batches = list(ordered_loader(samples, samples.batch_size(2), workers=0))
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
    samples = cached(seed=seed, augmenter=flips)
    batches = ShuffledBatches(len(samples), 2, seed, epoch=epoch)
    return list(training_loader(samples, batches, workers))


def indices(batches):
    """What an epoch draws, in its order."""
    return [index for batch in batches for _, index, *_ in batch]


lengths, batch_sizes, worlds = st.integers(1, 40), st.integers(1, 9), st.integers(1, 3)


@given(lengths, batch_sizes, worlds, st.integers(0, 5))
def test_the_shares_of_all_processes_are_the_batches_of_one_and_fillers(length, batch_size, world, epoch):
    whole = ShuffledBatches(length, batch_size, 3, epoch=epoch)
    shares = [list(ShuffledBatches(length, batch_size, 3, Share(rank, world), epoch=epoch)) for rank in range(world)]
    assert [len(share) for share in shares] == [len(whole)] * world
    assert whole.sizes() == [len(batch) for batch in whole]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert len({len(part) for part in parts}) == 1
        together = [item for part in parts for item in part]
        assert together == [*batch, *batch[:1] * (len(together) - len(batch))]
        assert len(together) < len(batch) + world


@given(lengths, batch_sizes, st.integers(0, 9), st.integers(0, 5))
def test_one_process_draws_every_image_once_in_an_order_that_seed_and_epoch_give(length, batch_size, seed, epoch):
    drawn = list(ShuffledBatches(length, batch_size, seed, epoch=epoch))
    order = np.random.default_rng(seed_for(seed, epoch)).permutation(length).tolist()
    assert [item for batch in drawn for item in batch] == [(epoch, index) for index in order]


@given(st.integers(5, 60), st.floats(0, 1), st.integers(0, 3))
def test_small_targets_take_their_share_of_an_epochs_places(length, share, epoch):
    small = [1, 3, 4]
    plain = indices(ShuffledBatches(length, 4, 0, epoch=epoch))
    drawn = indices(ShuffledBatches(length, 4, 0, small=small, small_share=share, epoch=epoch))
    others = [(old, new) for old, new in zip(plain, drawn, strict=True) if new != old]
    assert all(new in small for _, new in others)
    kept = [index for index in drawn if index not in small]
    assert len(kept) == len(set(kept))
    assert length - round(share * length) - len(small) <= len(kept) <= length - round(share * length)


def test_where_every_place_goes_to_small_targets_no_other_is_drawn_and_none_is_left_out():
    drawn = [ShuffledBatches(40, 4, 0, small=[2, 5], small_share=1.0, epoch=epoch) for epoch in (1, 2)]
    assert [set(indices(batches)) for batches in drawn] == [{2, 5}] * 2
    assert indices(drawn[0]) != indices(drawn[1])


def test_each_repeat_within_an_epoch_is_drawn_as_another_and_the_first_as_ever():
    places = [place for batch in ShuffledBatches(40, 4, 0, small=[2], small_share=1.0, epoch=1) for place in batch]
    assert places == [(1, 2), *((1, 2, repeat) for repeat in range(1, 40))]
    cache = {name: sample(7, 40, 50) for name in "abc"}
    brightness = Augmenter([{"RandomBrightnessContrast": {"p": 1.0}}])
    for drawn in (
        CachedSamples(cache, list(cache), crop=(8, 8)),
        CachedSamples(cache, list(cache), augmenter=brightness),
    ):
        first, *repeats = [drawn[place][0] for place in places[:3]]
        assert torch.equal(first, drawn[(1, 2)][0])
        assert not any(torch.equal(first, repeat) for repeat in repeats)
        assert not torch.equal(*repeats)


@given(st.integers(1, 30), st.integers(1, 7), worlds)
def test_the_shares_of_a_side_in_order_are_all_its_batches(length, batch_size, world):
    pixels = torch.arange(length, dtype=torch.uint8)
    cache = {
        str(i): {"image": pixels[i].view(1, 1, 1), "mask": torch.zeros(1, 1, dtype=torch.uint8)} for i in range(length)
    }
    samples = CachedSamples(cache, list(cache))

    def read(share):
        return [images.flatten().tolist() for images, _ in ordered_loader(samples, batch_size, 0, share)]

    whole = read(Share())
    assert [i for batch in whole for i in batch] == list(range(length))
    shares = [read(Share(rank, world)) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    in_turn = [batch for turn in zip(*shares, strict=True) for batch in turn]
    assert in_turn[: len(whole)] == whole
    assert in_turn[len(whole) :] == (whole * world)[: len(in_turn) - len(whole)]


def test_the_measured_side_is_neither_cropped_nor_augmented_whatever_the_epoch():
    samples = cached()
    for _ in range(2):
        batches = list(ordered_loader(samples, 3, 0))
        read = [pair for images, masks in batches for pair in zip(images, masks, strict=True)]
        stored = [(tensors["image"], tensors["mask"]) for tensors in samples.cache.values()]
        assert same(read, stored)


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
