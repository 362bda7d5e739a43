"""The memory-mapped cache against decoding and resizing JPEGs in the loader, as tutorials do it.

Targets: at least 20× the images a second without augmentation; at most 2 % of a training epoch
waited for data. Both sides share dataset class, sampler, augmentation and batching; only where the
pixels come from differs. All files lie in the page cache. `--workers` prepares batches in
processes of their own.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.measuring import alternate, cost, preprocess_settings, report, report_host, scratch
from benchmarks.photographs import write_photographs
from seglib import plugins
from seglib.augment import Augmenter
from seglib.checkpoint import Card, build_segmenter
from seglib.config import read_params, section
from seglib.datasets import kvasir
from seglib.engine import Epoch, Training, open_fabric
from seglib.io.cache import Tensors, open_cache
from seglib.loading import Batch, CachedSamples, channel_statistics, ordered_loader, training_loader
from seglib.losses import dice_ce
from seglib.preprocessing import CacheBuilder
from seglib.sections.augment import preset
from seglib.sections.train import Train

IMAGE_SIZE = 256
PRESETS = ("none", "endoscopy")


class JpegFolder(Mapping[str, Tensors]):
    """Decodes and resizes image and mask each time they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids = sorted(file.stem for file in (folder / "images").iterdir())

    def __getitem__(self, key: str) -> Tensors:
        image = cv2.imread(str(self.folder / "images" / f"{key}.jpg"), cv2.IMREAD_COLOR_RGB)
        mask = cv2.imread(str(self.folder / "masks" / f"{key}.jpg"), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        assert mask is not None
        image = cv2.resize(image, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_NEAREST)
        indices = (mask > 127).astype(np.uint8)
        planes = np.ascontiguousarray(image.transpose(2, 0, 1))
        return {"image": torch.from_numpy(planes), "mask": torch.from_numpy(indices)}

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


def main() -> None:
    """Print both sides, for the loader alone and within training, without and with augmentation."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=697)
    arguments.add_argument("--train-images", type=int, default=96)
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
        for name in PRESETS:
            _compare_training(params, sides, name, settings, options.train_images, options.rounds)


def _compare_loaders(
    params: dict[str, Any], sides: Mapping[str, Mapping[str, Tensors]], name: str, settings: Train, rounds: int
) -> None:
    loaders = {
        side: training_loader(_samples(params, source, name, len(source)), settings.batch_size, settings.workers)[0]
        for side, source in sides.items()
    }
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


def _compare_training(
    params: dict[str, Any],
    sides: Mapping[str, Mapping[str, Tensors]],
    name: str,
    settings: Train,
    images: int,
    rounds: int,
) -> None:
    runs = {side: _training(params, _samples(params, source, name, images), settings) for side, source in sides.items()}
    epochs: dict[str, list[Epoch]] = {side: [] for side in runs}
    for _ in range(rounds + 1):
        for side, training in runs.items():
            epochs[side] += training.fit(lambda _: None, lambda _: None)
    waited: dict[str, float] = {}
    for side, found in epochs.items():
        warm = found[1:]  # the first also starts the libraries and touches the cache's pages
        waited[side] = median(epoch.waited for epoch in warm)
        place = f"training epoch, {images} images, augment {name} [{side}]"
        report(f"{place}: waited of {median(epoch.seconds for epoch in warm):.1f} s", waited[side], "s")
        share = 100 * median(epoch.waited / epoch.seconds for epoch in warm)
        report(f"{place}: share", share, "%", at_most=2 if side == "cache" else None)
    report(f"training epoch, augment {name}: waited, JPEG / cache", waited["JPEG"] / waited["cache"], "x")


def _samples(params: dict[str, Any], source: Mapping[str, Tensors], name: str, images: int) -> CachedSamples:
    entries = preset(params, name)
    return CachedSamples(source, sorted(source)[:images], 0, Augmenter(entries) if entries else None)


def _drain(loader: DataLoader[Batch]) -> None:
    for _ in loader:
        pass


def _training(params: dict[str, Any], samples: CachedSamples, settings: Train) -> Training:
    fabric = open_fabric(settings)
    spec = kvasir.spec(Path(), kvasir.Params(threshold=127))
    card = Card("unet", params["model"]["unet"], asdict(spec), preprocess_settings().model_dump(), {})
    torch.manual_seed(0)
    model, optimizer = fabric.setup(
        network := build_segmenter(card, *channel_statistics(CachedSamples(samples.cache, samples.ids[:8]))),
        torch.optim.AdamW(network.parameters(), settings.lr),
    )
    options = plugins.options(dice_ce, params)
    assert isinstance(options, dice_ce.Params)
    loss = dice_ce.build(options, overlapping=spec.overlapping)
    loader, sampler = training_loader(samples, settings.batch_size, settings.workers)
    val_loader = ordered_loader(CachedSamples(samples.cache, samples.ids[:1]), 1, 0)
    loader, val_loader = fabric.setup_dataloaders(loader, val_loader, use_distributed_sampler=False)
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    return Training(fabric, model, optimizer, scheduler, loss, loader, sampler, val_loader, settings)


def _build_cache(folder: Path) -> Path:
    options = kvasir.Params(threshold=127)
    settings = preprocess_settings(image_size=IMAGE_SIZE, shards=16)
    samples, spec = kvasir.samples(folder / "data", options), kvasir.spec(folder, options)
    CacheBuilder(samples, spec, settings, "benchmark", folder / "cache", folder / "store").build()
    return folder / "cache"


if __name__ == "__main__":
    main()
