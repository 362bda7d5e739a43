"""The memory-mapped cache against decoding and resizing JPEGs in the loader, as tutorials do it.

Target: at least 20× the images a second without augmentation. Both sides share dataset class, sampler,
augmentation and batching; only where the pixels come from differs. All files lie in the page cache.
`--workers` prepares batches in processes of their own. How long a training waits for its data is part of
`benchmarks.training`.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.measuring import alternate, cost, preprocess_settings, report, report_host, scratch
from benchmarks.photographs import write_photographs
from seglib.augmenters import augmenter
from seglib.config import read_params, section
from seglib.datasets import kvasir
from seglib.io.cache import Tensors, open_cache
from seglib.loading import Batch, CachedSamples, ShuffledBatches, training_loader
from seglib.preprocessing import CacheBuilder
from seglib.sections.augment import preset
from seglib.sections.train import Train

IMAGE_SIZE = 256
PRESETS = ("none", "endoscopy")


class JpegFolder(Mapping[str, Tensors]):
    """Decodes and resizes image and mask each time they are asked for."""

    def __init__(self, folder: Path, side: int = IMAGE_SIZE) -> None:
        self.folder, self.side = folder, (side, side)
        self.ids = sorted(file.stem for file in (folder / "images").iterdir())

    def __getitem__(self, key: str) -> Tensors:
        image = cv2.imread(str(self.folder / "images" / f"{key}.jpg"), cv2.IMREAD_COLOR_RGB)
        mask = cv2.imread(str(self.folder / "masks" / f"{key}.jpg"), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        assert mask is not None
        image = cv2.resize(image, self.side, interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, self.side, interpolation=cv2.INTER_NEAREST)
        indices = (mask > 127).astype(np.uint8)
        planes = np.ascontiguousarray(image.transpose(2, 0, 1))
        return {"image": torch.from_numpy(planes), "mask": torch.from_numpy(indices)}

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


def main() -> None:
    """Print both sides, without and with augmentation."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=697)
    arguments.add_argument("--workers", type=int, default=0)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    params = read_params()
    settings = section(params, "train", Train).model_copy(update={"epochs": 1, "workers": options.workers})
    report_host()
    torch.set_num_threads(settings.threads)
    with scratch() as folder:
        print(write_photographs(folder / "data", options.images), f"→ {IMAGE_SIZE}×{IMAGE_SIZE}")
        sides = {"cache": open_cache(_build_cache(folder)), "JPEG": JpegFolder(folder / "data")}
        for name in PRESETS:
            _compare_loaders(params, sides, name, settings, options.rounds)


def _compare_loaders(
    params: dict[str, Any], sides: Mapping[str, Mapping[str, Tensors]], name: str, settings: Train, rounds: int
) -> None:
    loaders = {side: _loader(params, source, name, settings) for side, source in sides.items()}
    for loader in loaders.values():
        _drain(loader)
    epochs = alternate({s: lambda v=v: cost(lambda: _drain(v)) for s, v in loaders.items()}, rounds)
    images = len(sides["cache"])
    for side, value in epochs.items():
        report(f"loader alone, augment {name} [{side}]: an epoch", value.wall, "s")
        report(f"loader alone, augment {name} [{side}]", images / value.wall, "images/s")
    target = 20 if name == "none" else None
    cache, jpeg = epochs["cache"], epochs["JPEG"]
    report(f"loader alone, augment {name}: cache / JPEG, by the clock", jpeg.wall / cache.wall, "x", at_least=target)
    report(f"loader alone, augment {name}: cache / JPEG, by CPU seconds", jpeg.cpu / cache.cpu, "x")


def _loader(params: dict[str, Any], source: Mapping[str, Tensors], name: str, settings: Train) -> DataLoader[Batch]:
    entries = preset(params, name)
    samples = CachedSamples(source, sorted(source), 0, augmenter(entries, 2, 3) if entries else None)
    batches = ShuffledBatches(len(samples), settings.batch_size, settings.seed)
    return training_loader(samples, batches, settings.workers)


def _drain(loader: DataLoader[Batch]) -> None:
    for _ in loader:
        pass


def _build_cache(folder: Path) -> Path:
    options = kvasir.Params(threshold=127)
    settings = preprocess_settings(image_size=IMAGE_SIZE, shards=16)
    samples, spec = kvasir.samples(folder / "data", options), kvasir.spec(folder, options)
    CacheBuilder(samples, spec, settings, "benchmark", folder / "cache", folder / "store").build()
    return folder / "cache"


if __name__ == "__main__":
    main()
