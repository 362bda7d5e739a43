"""Train the network on the cache and keep the epoch with the best validation Dice."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.optim.lr_scheduler import LambdaLR

from seglib import losses, plugins, schedulers
from seglib.augment import Augmenter
from seglib.checkpoint import Card, build_segmenter, save_checkpoint
from seglib.config import parse, read_params, section
from seglib.curves import summary, timing, write_curves
from seglib.engine import DivergedError, Epoch, Training, open_fabric
from seglib.errors import SegError
from seglib.fingerprint import stage_versions
from seglib.io.cache import Tensors, open_cache
from seglib.loading import CachedSamples, channel_statistics, ordered_loader, training_loader
from seglib.loggers import open_loggers
from seglib.paths import BEST, CACHE, INDEX, SPLIT, TRAIN_REPORT, training_logs
from seglib.sections.augment import Augment, preset
from seglib.sections.optimizer import Optimizer
from seglib.sections.pixels import Pixels
from seglib.sections.selection import Selection
from seglib.sections.train import Train
from seglib.seeding import seed_for
from seglib.splitting import read_split
from seglib.stage import run_stage


def main() -> None:
    """Write `models/best.pt` and the learning curves."""
    params = read_params()
    settings = section(params, "train", Train)
    logs = training_logs()
    best: list[Epoch] = []
    with open_loggers(logs) as loggers:
        fabric = open_fabric(settings, loggers)
        training, card = _prepare(fabric, settings, params)

        def log(epoch: Epoch) -> None:
            fabric.log_dict(epoch.figures(), epoch.epoch)
            print(f"epoch {epoch.epoch}/{settings.epochs}: {epoch.describe()}", flush=True)

        def keep(epoch: Epoch) -> None:
            save_checkpoint(BEST, card, training.model.state_dict())
            best.append(epoch)

        try:
            history = training.fit(log, keep)
        except DivergedError as error:
            rescued = _rescue(best, logs / "last_good.pt")
            raise DivergedError(f"{error}; {rescued}Lower train.lr, or try train.precision: fp32") from None
    TRAIN_REPORT.mkdir(parents=True, exist_ok=True)
    write_curves(TRAIN_REPORT / "plots", history)
    (TRAIN_REPORT / "metrics.json").write_text(json.dumps(summary(history, best[-1]), indent=1) + "\n")
    (logs / "timing.json").write_text(json.dumps(timing(history, len(training.sampler)), indent=1) + "\n")


def _prepare(fabric: Fabric, settings: Train, params: Mapping[str, Any]) -> tuple[Training, Card]:
    cache, sides = open_cache(CACHE), read_split(SPLIT)
    card = _card(params)
    _refuse_volumes(cache)
    augment = section(params, "augment", Augment)
    augmenter = Augmenter(preset(params, augment.name))
    training_side = CachedSamples(cache, sides["train"], settings.seed, augmenter, _crop(params))
    loader, sampler = training_loader(training_side, settings.batch_size, settings.workers)
    val_loader = ordered_loader(CachedSamples(cache, sides["val"]), settings.batch_size, settings.workers)

    torch.manual_seed(seed_for(settings.seed, "weights"))
    model = build_segmenter(card, *channel_statistics(training_side))
    loss_plugin = plugins.load(losses, section(params, "loss", Selection).name)
    loss = loss_plugin.build(plugins.options(loss_plugin, params), overlapping=card.overlapping)
    decay = section(params, "optimizer", Optimizer).weight_decay
    model, optimizer = fabric.setup(model, torch.optim.AdamW(model.parameters(), settings.lr, weight_decay=decay))

    schedule = plugins.load(schedulers, section(params, "scheduler", Selection).name)
    options, steps = plugins.options(schedule, params), settings.epochs * len(loader)
    scheduler = LambdaLR(optimizer, lambda step: schedule.factor(options, step, steps))
    loader, val_loader = fabric.setup_dataloaders(loader, val_loader, use_distributed_sampler=False)
    training = Training(
        fabric, model, optimizer, scheduler, loss, loader, sampler, val_loader, settings, card.overlapping
    )
    return training, card


def _card(params: Mapping[str, Any]) -> Card:
    name = section(params, "model", Selection).name
    return Card(
        model=name,
        options=params["model"][name],
        dataset=json.loads(INDEX.read_text())["dataset"],
        pixels=_pixels(params).model_dump(),
        versions=stage_versions("train"),
    )


def _pixels(params: Mapping[str, Any]) -> Pixels:
    asked = {key: value for key, value in params["preprocess"].items() if key in Pixels.model_fields}
    return parse(Pixels, asked, "preprocess")


def _crop(params: Mapping[str, Any]) -> tuple[int, ...] | None:
    pixels = _pixels(params)
    return pixels.sides(2) if pixels.resize == "native" else None


def _refuse_volumes(cache: Mapping[str, Tensors]) -> None:
    if any(tensors["mask"].ndim == 3 for tensors in cache.values()):
        raise SegError("the cache holds whole volumes, which no network here takes yet; let data.<name>.take be slices")


def _rescue(best: list[Epoch], kept: Path) -> str:
    if not best:
        return "no epoch was good enough to keep. "
    shutil.move(BEST, kept)
    return f"the best model so far (epoch {best[-1].epoch}, validation Dice {best[-1].val_dice:.4f}) is {kept}. "


if __name__ == "__main__":
    run_stage("train", main)
