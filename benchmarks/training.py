"""A training epoch against the plain loop of the tutorials, and against what the hardware allows.

Targets: at least 2× the tutorial's images a second on a CPU, 4× on a GPU; at least 0.95 of the ceiling; at most
2 % of an epoch waited for data.
All sides have the same network, image size, batch and loss. The tutorial decodes and resizes JPEGs in the loader,
augments with the same albumentations transforms, trains in fp32 with Adam and asks for `.item()` at every step. The
ceiling is forward, backward and step on one batch that lies in memory, in the pipeline's precision and with its
optimiser. The first epoch of each side warms up and is not counted.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.utils.data import DataLoader

from benchmarks.loading import JpegFolder
from benchmarks.measuring import alternate, cost, new_project, report, report_host, scratch
from benchmarks.photographs import write_photographs
from seglib.augmenters import augmenter
from seglib.config import read_params
from seglib.engine import Training
from seglib.fabric import open_fabric
from seglib.loading import CachedSamples, collate
from seglib.paths import CACHE, ENCODER, INDEX, SPLIT
from seglib.sections.augment import preset
from seglib.sections.network import NO_WEIGHTS
from seglib.training_setup import Setup


def main() -> None:
    """Print images a second of the three sides, and the ratios."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=256)
    arguments.add_argument("--image-size", type=int, default=160)
    arguments.add_argument("--batch-size", type=int, default=16)
    arguments.add_argument("--workers", type=int, default=0)
    arguments.add_argument("--augment", default="endoscopy")
    arguments.add_argument("--compile", action="store_true", help="train.compile, of the pipeline and the ceiling")
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    report_host()
    with scratch() as folder:
        print(write_photographs(folder / "data", options.images), f"→ {options.image_size}×{options.image_size}")
        os.chdir(_project(folder, options))
        _compare(folder / "data", options)


def _project(folder: Path, options: argparse.Namespace) -> Path:
    values: dict[str, Any] = {
        "data.name": "kvasir",
        "data.path": str(folder / "data"),
        "preprocess.image_size": options.image_size,
        "augment.name": options.augment,
        "model.unet.channels": [32, 64, 128, 256, 512],
        "train.batch_size": options.batch_size,
        "train.workers": options.workers,
        "train.epochs": 1,
        "train.compile": options.compile,
    }
    project = new_project(folder / "project", values)
    project.repro("split")
    return project.root


def _compare(data: Path, options: argparse.Namespace) -> None:
    params = read_params()
    setup = Setup(params, INDEX, CACHE, SPLIT)
    setup.sides["val"] = setup.sides["val"][:1]  # the sides are compared in training alone
    fabric = open_fabric(setup.settings)
    ENCODER.parent.mkdir()
    ENCODER.write_bytes(NO_WEIGHTS)
    training = setup.training(fabric, ENCODER)
    images = len(setup.sides["train"])
    tutorial, step = _tutorial(setup, data, params), _ceiling(training)
    steps = len(training.batches)

    waits: list[float] = []

    def epoch() -> None:
        training.history.clear()
        training.fit(lambda done, _: waits.append(done.waited / done.seconds))

    def ceiling() -> None:
        for _ in range(steps):
            step()
        _wait(fabric.device)

    sides: dict[str, Callable[[], None]] = {"tutorial": tutorial, "pipeline": epoch, "ceiling": ceiling}
    for work in sides.values():
        work()
    found = alternate({name: lambda work=work: cost(work) for name, work in sides.items()}, options.rounds)
    rates = {
        "tutorial": images / found["tutorial"].wall,
        "pipeline": images / found["pipeline"].wall,
        "ceiling": steps * setup.settings.batch_size / found["ceiling"].wall,
    }
    for name, rate in rates.items():
        report(
            f"training, {options.image_size}², batch {options.batch_size}, {options.augment} [{name}]", rate, "images/s"
        )
    target = 4 if fabric.device.type == "cuda" else 2
    report("pipeline / tutorial", rates["pipeline"] / rates["tutorial"], "x", at_least=target)
    report("pipeline: share of the epoch waited for data", 100 * median(waits[1:]), "%", at_most=2)
    report("pipeline / ceiling", rates["pipeline"] / rates["ceiling"], "x", at_least=0.95)


def _tutorial(setup: Setup, data: Path, params: dict[str, Any]) -> Callable[[], None]:
    """An epoch as tutorials write it: decoding in the loader, fp32, Adam, `.item()` at every step."""
    fabric = open_fabric(setup.settings.model_copy(update={"precision": "fp32"}))
    built = setup.training(fabric, ENCODER)
    network, loss = built.network, built.loss
    optimizer = torch.optim.Adam(network.parameters(), setup.settings.lr)
    transform = augmenter(preset(params, params["augment"]["name"]), 2, 3)
    samples = CachedSamples(JpegFolder(data, params["preprocess"]["image_size"]), setup.sides["train"], 0, transform)
    loader = DataLoader(
        samples, setup.settings.batch_size, shuffle=True, num_workers=setup.settings.workers, collate_fn=collate
    )

    def epoch() -> None:
        network.train()
        total = 0.0
        for images, masks in loader:
            optimizer.zero_grad()
            value = loss(network(images.to(fabric.device)), masks.to(fabric.device))
            value.backward()
            optimizer.step()
            total += value.item()

    return epoch


def _ceiling(training: Training) -> Callable[[], None]:
    """One step on a batch that lies in memory, with the pipeline's precision and optimiser."""
    images, masks = next(iter(training.loader))

    def step() -> None:
        training.model.train()
        training.optimizer.zero_grad(set_to_none=True)
        training.fabric.backward(training.loss(training.model(images), masks))
        training.optimizer.step()

    return step


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
