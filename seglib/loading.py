"""Batches from the memory-mapped cache, the same whatever the number of workers."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from seglib.augmenters import Augmentation
from seglib.errors import SegError, listing
from seglib.io.cache import Tensors
from seglib.io.sample import IGNORE
from seglib.seeding import seed_for

Batch = tuple[Tensor, Tensor]
"""Raw images [batch, channels, *space] and mask values, uint8 [batch, *space]."""
Place = tuple[int, ...]
"""(epoch, index), and where the epoch has drawn the index before, how often."""


@dataclass(frozen=True)
class Share:
    """Which process of how many this one is."""

    rank: int = 0
    world: int = 1


@dataclass
class ShuffledBatches(Sampler[list[Place]]):
    """One process's share of every batch of an epoch; the order follows from (seed, epoch).

    A batch that does not divide is filled up with its first item, so that all shares have one length; the
    fillers are the last of all processes' items, one process after the other.
    """

    length: int
    batch_size: int
    seed: int
    share: Share = Share()
    small: Sequence[int] = ()
    """The indices with the smallest targets."""
    small_share: float = 0.0
    """Of an epoch's indices, those replaced by random ones of `small`."""
    epoch: int = 0
    """Set by the training loop."""

    def __len__(self) -> int:
        return math.ceil(self.length / self.batch_size)

    def __iter__(self) -> Iterator[list[Place]]:
        places = self._places()
        for start in range(0, self.length, self.batch_size):
            batch = places[start : start + self.batch_size]
            each = -(-len(batch) // self.share.world)
            own = batch[self.share.rank * each : (self.share.rank + 1) * each]
            yield [*own, *batch[:1] * (each - len(own))]

    def sizes(self) -> list[int]:
        """Images of each batch, those of all processes together."""
        return [min(self.batch_size, self.length - start) for start in range(0, self.length, self.batch_size)]

    def _places(self) -> list[Place]:
        drawn = Counter[int]()
        places: list[Place] = []
        for index in self._order():
            places.append((self.epoch, index, drawn[index]) if drawn[index] else (self.epoch, index))
            drawn[index] += 1
        return places

    def _order(self) -> list[int]:
        order = np.random.default_rng(seed_for(self.seed, self.epoch)).permutation(self.length)
        replaced = round(self.small_share * self.length) if self.small else 0
        if replaced:
            random = np.random.default_rng(seed_for(self.seed, self.epoch, "small targets"))
            order[random.choice(self.length, replaced, replace=False)] = random.choice(self.small, replaced)
        return order.tolist()


@dataclass
class CachedSamples(Dataset[Batch]):
    """Samples of one side, cropped and augmented where a crop and an augmenter are given."""

    cache: Mapping[str, Tensors]
    ids: Sequence[str]
    seed: int = 0
    augmenter: Augmentation | None = None
    crop: tuple[int, ...] | None = None
    foreground_crops: float = 0.0
    """Share of the crops that are laid around a foreground pixel."""

    def __post_init__(self) -> None:
        if absent := [i for i in self.ids if i not in self.cache]:
            raise SegError(f"samples of the split that the cache lacks: {listing(absent)}; run `dvc repro`")

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: int | Place) -> Batch:
        epoch, index, *repeat = place if isinstance(place, tuple) else (0, place)
        tensors = self.cache[self.ids[index]]
        image, mask = tensors["image"], tensors["mask"]
        if self.crop:
            seed = seed_for(self.seed, epoch, self.ids[index], "crop", *repeat)
            image, mask = random_crop(image, mask, self.crop, seed, self.foreground_crops)
        if self.augmenter is None:
            return image, mask
        seed = seed_for(self.seed, epoch, self.ids[index], *repeat)
        # copied, for albumentations must not write into the memory-mapped cache, and by numpy: torch's
        # threads cost more than so small a copy, many times more where the cores are busy
        copied = np.stack(list(image.numpy()), axis=-1)
        pixels, indices = self.augmenter(copied, np.array(mask.numpy()), seed)
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, 0))), torch.from_numpy(indices)

    def batch_size(self, wanted: int) -> int:
        """Of batches that no padding alters: one image where sizes differ."""
        return wanted if len(self.sizes()) == 1 else 1

    def sizes(self) -> set[tuple[int, ...]]:
        """The different shapes of what the loader gets."""
        return {self.crop} if self.crop else {tuple(self.cache[i]["mask"].shape) for i in self.ids}


def training_loader(
    samples: CachedSamples, batches: ShuffledBatches, workers: int, *, pin: bool = False
) -> DataLoader[Batch]:
    """Shuffled batches of this process, pinned for a GPU; the training loop sets `batches.epoch`."""
    return _loader(samples, batches, workers, pin=pin)


def ordered_loader(
    samples: CachedSamples, batch_size: int, workers: int, share: Share = Share(), *, pin: bool = False
) -> DataLoader[Batch]:
    """Every `share.world`th batch in the order of the ids, from batch `share.rank` on.

    All processes get as many batches; one that runs out begins again.
    """
    starts = range(0, len(samples), batch_size)
    batches = [list(range(start, min(start + batch_size, len(samples)))) for start in starts]
    each = -(-len(batches) // share.world)
    own = [batches[(share.rank + i * share.world) % len(batches)] for i in range(each)]
    return _loader(samples, own, workers, pin=pin)


def _loader(
    samples: CachedSamples, batches: Sampler[list[Place]] | list[list[int]], workers: int, *, pin: bool
) -> DataLoader[Batch]:
    cv2.setNumThreads(0)
    return DataLoader(
        samples,
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="fork" if workers else None,  # which shares the memory-mapped cache
        collate_fn=collate,
        pin_memory=pin,
        generator=torch.Generator(),  # of its own, so that loading moves no number of dropout
    )


def random_crop(image: Tensor, mask: Tensor, crop: tuple[int, ...], seed: int, foreground_crops: float = 0.0) -> Batch:
    """Cut the same window, which follows from the seed, out of image and mask; smaller ones are padded.

    With a chance of `foreground_crops` it holds a pixel that is drawn from the foreground, if there is any.
    """
    random = np.random.default_rng(seed)
    around = _foreground_pixel(mask, random) if random.random() < foreground_crops else None
    window = []
    for axis, (have, want) in enumerate(zip(mask.shape, crop, strict=True)):
        last = max(have - want, 0)
        low, high = (0, last) if around is None else (max(around[axis] - want + 1, 0), min(around[axis], last))
        start = int(random.integers(low, high + 1))
        window.append(slice(start, start + want))
    return _pad_image(image[:, *window], crop), _pad_mask(mask[*window], crop)


def _foreground_pixel(mask: Tensor, random: np.random.Generator) -> tuple[int, ...] | None:
    """Any pixel of a foreground value, each value with the same chance."""
    values = [value for value in np.unique(mask.numpy()) if value not in (0, IGNORE)]
    if not values:
        return None
    places = np.flatnonzero(mask.numpy() == random.choice(values))
    return tuple(int(i) for i in np.unravel_index(random.choice(places), tuple(mask.shape)))


def collate(samples: Sequence[Batch]) -> Batch:
    """Stack samples; smaller ones are padded: images with their border, masks with ignored pixels."""
    largest = tuple(max(sides) for sides in zip(*(mask.shape for _, mask in samples), strict=True))
    images = [_pad_image(image, largest) for image, _ in samples]
    masks = [_pad_mask(mask, largest) for _, mask in samples]
    return _stack(images), _stack(masks)


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    return torch.from_numpy(np.stack([tensor.numpy() for tensor in tensors]))


def _pad_image(image: Tensor, shape: tuple[int, ...]) -> Tensor:
    missing = _missing(image.shape[1:], shape)
    return torch.from_numpy(np.pad(image.numpy(), [(0, 0), *missing], mode="edge")) if missing else image


def _pad_mask(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    missing = _missing(mask.shape, shape)
    return torch.from_numpy(np.pad(mask.numpy(), missing, constant_values=IGNORE)) if missing else mask


def _missing(have: tuple[int, ...], want: tuple[int, ...]) -> list[tuple[int, int]]:
    """What lacks behind each axis; empty where nothing does."""
    missing = [(0, wanted - had) for had, wanted in zip(have, want, strict=True)]
    return missing if any(after for _, after in missing) else []


def channel_statistics(samples: CachedSamples) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation a channel over all pixels, float32, exact for integer images."""
    count, total, squares = 0, np.zeros(1, object), np.zeros(1, object)  # Python's numbers never overflow
    for i in range(len(samples)):
        stored = samples.cache[samples.ids[i]]["image"]
        image = (stored.double() if stored.is_floating_point() else stored.long()).flatten(1)
        count += image.shape[1]
        total = total + np.array(image.sum(1).tolist(), object)
        squares = squares + np.array((image * image).sum(1).tolist(), object)
    mean = torch.tensor((total / count).tolist(), dtype=torch.float64)
    std = (torch.tensor((squares / count).tolist(), dtype=torch.float64) - mean**2).clamp(min=0).sqrt()
    return mean.float(), torch.where(std > 0, std, 1.0).float()
