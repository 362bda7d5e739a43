"""Batches from the memory-mapped cache, the same whatever the number of workers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from seglib.augment import Augmenter
from seglib.errors import SegError, listing
from seglib.io.cache import Tensors
from seglib.io.sample import IGNORE
from seglib.seeding import seed_for

Batch = tuple[Tensor, Tensor]
"""Raw images [batch, channels, height, width] and class indices, uint8 [batch, height, width]."""


class ShuffledSampler(Sampler[tuple[int, int]]):
    """Every index once an epoch, as (epoch, index), in an order that follows from (seed, epoch)."""

    def __init__(self, length: int, seed: int) -> None:
        """Start at epoch 0; the training loop sets `epoch`."""
        self.length, self.seed, self.epoch = length, seed, 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.random.default_rng(seed_for(self.seed, self.epoch)).permutation(self.length)
        return iter([(self.epoch, int(index)) for index in order])


@dataclass
class CachedSamples(Dataset[Batch]):
    """Samples of one side, cropped and augmented where a crop and an augmenter are given."""

    cache: Mapping[str, Tensors]
    ids: Sequence[str]
    seed: int = 0
    augmenter: Augmenter | None = None
    crop: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if absent := [i for i in self.ids if i not in self.cache]:
            raise SegError(f"samples of the split that the cache lacks: {listing(absent)}; run `dvc repro`")

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: int | tuple[int, int]) -> Batch:
        epoch, index = place if isinstance(place, tuple) else (0, place)
        tensors = self.cache[self.ids[index]]
        image, mask = tensors["image"], tensors["mask"]
        if self.crop:
            image, mask = random_crop(image, mask, self.crop, seed_for(self.seed, epoch, self.ids[index], "crop"))
        if self.augmenter is None:
            return image, mask
        seed = seed_for(self.seed, epoch, self.ids[index])
        # copied, for albumentations must not write into the memory-mapped cache, and by numpy: torch's
        # threads cost more than so small a copy, many times more where the cores are busy
        copied = np.array(image.numpy().transpose(1, 2, 0), order="C")
        pixels, indices = self.augmenter(copied, np.array(mask.numpy()), seed)
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))), torch.from_numpy(indices)


def training_loader(samples: CachedSamples, batch_size: int, workers: int) -> tuple[DataLoader[Batch], ShuffledSampler]:
    """Shuffled batches, and the sampler whose `epoch` the training loop sets."""
    sampler = ShuffledSampler(len(samples), samples.seed)
    return _loader(samples, batch_size, workers, sampler), sampler


def ordered_loader(samples: CachedSamples, batch_size: int, workers: int) -> DataLoader[Batch]:
    """Batches in the order of the ids; where sizes differ, of one image, so that no padding alters a result."""
    sizes = {samples.cache[i]["mask"].shape for i in samples.ids}
    return _loader(samples, batch_size if len(sizes) == 1 else 1, workers, None)


def _loader(
    samples: CachedSamples, batch_size: int, workers: int, sampler: ShuffledSampler | None
) -> DataLoader[Batch]:
    cv2.setNumThreads(0)
    return DataLoader(
        samples,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="fork" if workers else None,  # which shares the memory-mapped cache
        collate_fn=collate,
        generator=torch.Generator(),  # of its own, so that loading moves no number of dropout
    )


def random_crop(image: Tensor, mask: Tensor, crop: tuple[int, ...], seed: int) -> Batch:
    """Cut the same window, which follows from the seed, out of image and mask; smaller ones are padded."""
    random = np.random.default_rng(seed)
    window = []
    for have, want in zip(mask.shape, crop, strict=True):
        start = int(random.integers(max(have - want, 0) + 1))
        window.append(slice(start, start + want))
    return _pad_image(image[:, *window], crop), _pad_mask(mask[*window], crop)


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
