"""Train the network on the cache and keep the epoch with the best validation Dice."""

import json
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from seglib.advice import advise
from seglib.checkpoint import save_checkpoint
from seglib.config import read_params
from seglib.curves import summary, timing, write_curves
from seglib.engine import DivergedError, Epoch, Training
from seglib.errors import SegError
from seglib.fabric import open_fabric
from seglib.fingerprint import run_digest, stage_versions
from seglib.loggers import log_epoch, open_loggers
from seglib.out_of_memory import explained
from seglib.paths import BEST, CACHE, ENCODER, INDEX, LAST, SPLIT, TRAIN_REPORT, store, training_logs
from seglib.resume import Resume
from seglib.stage import run_stage
from seglib.training_setup import Setup
from seglib.training_state import capture, restore, weights


def main() -> None:
    """Write `models/best.pt`, `models/last.pt` and the learning curves."""
    params = read_params()
    setup, logs = Setup(params, INDEX, CACHE, SPLIT), training_logs()
    fabric = open_fabric(setup.settings)
    key = _key(params, fabric)
    resume = Resume(store() / "training" / key, first=fabric.is_global_zero)
    with (
        resume.alone(fabric.barrier),
        open_loggers(logs) as loggers,
        explained(setup.settings, setup.pixels.image_size),
    ):
        fabric.loggers.extend(loggers)
        training = setup.training(fabric, ENCODER)
        _fit(training, setup, resume, logs)
        last = weights(training)
        if fabric.is_global_zero:
            _refuse_edits(key, fabric)
            _write(training, setup, resume, last, logs)
            resume.clear()


def _key(params: Mapping[str, Any], fabric: Fabric) -> str:
    """The name of everything that decides the result."""
    device = torch.cuda.get_device_name(fabric.device) if fabric.device.type == "cuda" else "cpu"
    installed = {name: version(name) for name in stage_versions("train")}
    return run_digest("train", params, device, fabric.strategy.precision.precision, fabric.world_size, installed)


def _refuse_edits(key: str, fabric: Fabric) -> None:
    """DVC records what it finds after a stage, so an edit made meanwhile would pass for what made this model."""
    if _key(read_params(), fabric) != key:
        raise SegError(
            "parameters, code or data of this training were changed while it ran; undo the change and run "
            "`dvc repro`, which then only writes the model, or run it as it is to train anew"
        )


def _fit(training: Training, setup: Setup, resume: Resume, logs: Path) -> None:
    fabric = training.fabric
    if state := resume.load():
        restore(training, state)
        _say(fabric, f"going on after epoch {len(training.history)} of a training that was broken off")
    for epoch in training.history:
        fabric.log_dict(epoch.figures(), epoch.epoch)

    def on_epoch(epoch: Epoch, better: bool) -> None:  # noqa: FBT001  (the loop calls it so)
        kept, state = weights(training) if better else None, capture(training)
        if fabric.is_global_zero:
            if kept:
                save_checkpoint(resume.best(epoch.epoch), setup.card, kept)
            resume.save(state)
            if training.best:
                resume.keep_best(training.best.epoch)
            log_epoch(fabric, training, setup.card)
        _say(fabric, f"epoch {epoch.epoch}/{setup.settings.epochs}: {epoch.describe()}")

    try:
        training.fit(on_epoch)
    except DivergedError as error:
        rescued = _rescue(training, resume, logs / "last_good.pt")
        raise DivergedError(f"{error}; {rescued}Lower train.lr, or try train.precision: fp32") from None
    if not training.best:
        raise SegError("no epoch has a validation Dice: no image of the validation side shows a foreground class")


def _write(training: Training, setup: Setup, resume: Resume, last: Mapping[str, torch.Tensor], logs: Path) -> None:
    history, best = training.history, training.best
    assert best
    save_checkpoint(LAST, setup.card, last)
    shutil.copyfile(resume.best(best.epoch), BEST)
    TRAIN_REPORT.mkdir(parents=True, exist_ok=True)
    write_curves(TRAIN_REPORT / "plots", history)
    figures = summary(history, best) | {
        "deterministic": setup.settings.deterministic,
        "weights": sum(weight.numel() for weight in training.network.parameters()),
    }
    (TRAIN_REPORT / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n")
    (logs / "timing.json").write_text(json.dumps(timing(history, training.batches.length), indent=1) + "\n")
    if seen := training.validation:
        cases = zip(seen.shares.flatten().tolist(), seen.dice.flatten().tolist(), strict=True)
        for hint in advise(history, list(cases)):
            print(f"hint: {hint}", flush=True)


def _rescue(training: Training, resume: Resume, kept: Path) -> str:
    best = training.best
    if not best:
        return "no epoch was good enough to keep. "
    if training.fabric.is_global_zero:
        shutil.copyfile(resume.best(best.epoch), kept)
        resume.clear()
    return f"the best model so far (epoch {best.epoch}, validation Dice {best.val_dice:.4f}) is {kept}. "


def _say(fabric: Fabric, text: str) -> None:
    if fabric.is_global_zero:
        print(text, flush=True)


if __name__ == "__main__":
    run_stage("train", main)
