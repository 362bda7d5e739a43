"""What a pass over the validation side finds, against figures computed case by case."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from seglib.fabric import open_fabric
from seglib.head import Head
from seglib.io.sample import IGNORE
from seglib.loading import CachedSamples, Share, ordered_loader
from seglib.validation import Validation, Validator
from tests.training import train_settings

SOFTMAX = Head(3, sigmoid=False, overlapping=False)


class Thresholds(nn.Module):
    """Class 1 from grey value 50 on, class 2 from 100 on."""

    def forward(self, images):
        grey = images[:, 0].float()
        return torch.stack([49.5 - grey, (grey - 49.5).clamp(max=1), grey - 99.5], 1)


class CountIgnored(nn.Module):
    """A loss that can be told by hand: the number of ignored pixels in the batch."""

    def forward(self, logits, masks):
        return (masks == IGNORE).sum().float()


def side(number=5, height=6, *, seed=0):
    """Images and masks [height, 4] with values 0 to 2 and some ignored pixels; the last case shows no class 2."""
    random = np.random.default_rng(seed)
    cache = {}
    for i in range(number):
        mask = random.integers(0, 2 if i == number - 1 else 3, (height, 4)).astype(np.uint8)
        guess = random.integers(0, 2 if i == number - 1 else 3, (height, 4))
        mask[0, : i % 3] = IGNORE
        cache[f"case{i}"] = {
            "image": torch.from_numpy((guess * 50 + 20).astype(np.uint8))[None],
            "mask": torch.from_numpy(mask),
        }
    return cache


ALONE = Share()


def validate(cache, network=None, *, batch_size=2, share=ALONE, head=SOFTMAX, window=None) -> Validation:
    samples = CachedSamples(cache, list(cache))
    each = samples.batch_size(batch_size)
    loader = ordered_loader(samples, each, 0, share)
    fabric = open_fabric(train_settings())
    validator = Validator(fabric, CountIgnored(), head, loader, len(cache), each, share, window)
    return validator.run(network or Thresholds())


def dice_of(tensors):
    """Dice of classes 1 and 2, pixel by pixel."""
    truth, guess = tensors["mask"].numpy(), (tensors["image"][0].numpy() - 20) // 50
    counted = truth != IGNORE
    figures = []
    for value in (1, 2):
        inside, found = counted & (truth == value), counted & (guess == value)
        total = inside.sum() + found.sum()
        figures.append(2 * (inside & found).sum() / total if total else math.nan)
    return figures


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 9])
def test_every_case_counts_once_whatever_the_batches(batch_size):
    cache = side()
    found = validate(cache, batch_size=batch_size)
    expected = np.array([dice_of(tensors) for tensors in cache.values()])
    np.testing.assert_allclose(found.dice, expected, rtol=1e-6)
    assert math.isnan(found.dice[-1, 1]), "neither truth nor guess shows class 2"
    assert found.mean_dice == pytest.approx(np.nanmean(np.nanmean(expected, axis=0)))
    ignored = [int((tensors["mask"] == IGNORE).sum()) for tensors in cache.values()]
    assert found.losses.tolist() == [sum(ignored[start : start + batch_size]) for start in range(0, 5, batch_size)]


def test_shares_are_those_of_the_counted_pixels():
    cache = side()
    expected = []
    for tensors in cache.values():
        counted = tensors["mask"][tensors["mask"] != IGNORE]
        expected.append([(counted == value).double().mean().item() for value in (1, 2)])
    np.testing.assert_allclose(validate(cache).shares, expected, rtol=1e-6)


def test_a_case_of_ignored_pixels_alone_has_no_dice_and_no_share():
    cache = side(2)
    cache["case0"]["mask"][:] = IGNORE
    found = validate(cache)
    assert found.dice[0].isnan().all()
    assert found.shares[0].tolist() == [0, 0]
    assert found.mean_dice == pytest.approx(dice_of(cache["case1"])[0])


def test_a_class_that_no_case_shows_does_not_count_and_none_at_all_is_no_number():
    cache = side(1)
    assert validate(cache).mean_dice == pytest.approx(dice_of(cache["case0"])[0])
    cache["case0"]["mask"][:], cache["case0"]["image"][:] = 0, 20
    assert math.isnan(validate(cache).mean_dice)


@pytest.mark.parametrize("number", [4, 5, 7])
def test_what_two_processes_measure_adds_up_to_what_one_does(number):
    """`all_reduce` sums the tables, which are 0 where the other process measures; nan is nan in either."""
    cache = side(number)
    whole = validate(cache)
    halves = [validate(cache, share=Share(rank, 2)) for rank in range(2)]
    for name in ("losses", "dice", "shares"):
        together = sum(getattr(half, name) for half in halves)
        np.testing.assert_allclose(together, getattr(whole, name), rtol=1e-6)


def test_images_of_different_sizes_are_measured_one_by_one():
    cache = {f"{name}{height}": value for height in (6, 9) for name, value in side(3, height).items()}
    found = validate(cache, batch_size=4)
    np.testing.assert_allclose(found.dice, [dice_of(tensors) for tensors in cache.values()], rtol=1e-6)
    assert len(found.losses) == 6


def test_larger_images_are_seen_in_windows_with_the_same_result():
    cache, sizes = side(3), []
    network = Thresholds()
    network.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(inputs[0].shape[2:])))
    found = validate(cache, window=(4, 3), network=network)
    assert set(sizes) == {(4, 3)}
    np.testing.assert_allclose(found.dice, [dice_of(tensors) for tensors in cache.values()], rtol=1e-6)


def test_volumes_are_measured_as_images_are():
    flat = side(3)
    cache = {
        key: {"image": tensors["image"].view(1, 3, 2, 4), "mask": tensors["mask"].view(3, 2, 4)}
        for key, tensors in flat.items()
    }
    assert torch.equal(validate(cache).dice[:2], validate(flat).dice[:2])


def test_overlapping_classes_are_measured_each_for_itself():
    masks = torch.tensor([[[0, 1, 2, 3]], [[3, 3, IGNORE, 0]]], dtype=torch.uint8)
    guesses = torch.tensor([[[1, 1, 0, 3]], [[2, 0, 3, 0]]], dtype=torch.uint8)
    cache = {str(i): {"image": guesses[i][None], "mask": masks[i]} for i in range(2)}

    class Bits(nn.Module):
        def forward(self, images):
            return torch.stack([(images[:, 0].long() >> bit & 1) * 2.0 - 1 for bit in range(2)], 1)

    found = validate(cache, head=Head(3, sigmoid=True, overlapping=True), network=Bits())
    expected = [[2 * 2 / (2 + 3), 2 * 1 / (2 + 1)], [0, 2 * 1 / (2 + 1)]]
    np.testing.assert_allclose(found.dice, expected, rtol=1e-6)
    np.testing.assert_allclose(found.shares, [[0.5, 0.5], [2 / 3, 2 / 3]], rtol=1e-6)


def test_the_network_is_measured_in_evaluation_mode_without_gradients():
    seen = []

    class Spy(Thresholds):
        def forward(self, images):
            seen.append((self.training, torch.is_grad_enabled()))
            return super().forward(images)

    validate(side(), network=Spy().train())
    assert set(seen) == {(False, False)}


def test_the_first_batch_is_kept_for_pictures():
    cache = side()
    preview = validate(cache).preview
    assert torch.equal(preview.images, torch.stack([cache["case0"]["image"], cache["case1"]["image"]]))
    assert torch.equal(preview.masks, torch.stack([cache["case0"]["mask"], cache["case1"]["mask"]]))
    assert preview.probabilities.shape == (2, 3, 6, 4)
    torch.testing.assert_close(preview.probabilities.sum(1), torch.ones(2, 6, 4))
