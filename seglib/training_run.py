"""A training of a stage, which goes on after its last finished epoch if it was broken off."""

import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from seglib.checkpoint import Card, save_checkpoint
from seglib.config import read_params
from seglib.engine import DivergedError, Epoch, Training
from seglib.errors import SegError
from seglib.fingerprint import run_digest, stage_versions
from seglib.paths import store
from seglib.resume import Resume
from seglib.training_state import capture, restore, weights


class Run:
    """What the training of one stage is named by, and where its state lies between two epochs."""

    def __init__(self, stage: str, params: Mapping[str, Any], fabric: Fabric) -> None:
        """`stage` is also the section of `params` whose learning rate it trains with."""
        self.stage, self.fabric = stage, fabric
        self.key = self._key(params)
        self.resume = Resume(store() / "training" / self.key, first=fabric.is_global_zero)

    def fit(self, training: Training, card: Card, rescued: Path, log: Callable[[], None] = lambda: None) -> Epoch:
        """Train to the end and return the best epoch, whose model then is `resume.best(epoch)`.

        `log` is called after each epoch, `rescued` is where the best model goes if the training diverges.
        Raises SegError where no epoch has a validation Dice, DivergedError.
        """
        if state := self.resume.load():
            restore(training, state)
            self._say(f"going on after epoch {len(training.history)} of a training that was broken off")
        for epoch in training.history:
            self.fabric.log_dict(epoch.figures(), epoch.epoch)

        def on_epoch(epoch: Epoch, better: bool) -> None:  # noqa: FBT001  (the loop calls it so)
            self._keep(training, card, better=better)
            if self.fabric.is_global_zero:
                log()
            self._say(f"epoch {epoch.epoch}/{training.settings.epochs}: {epoch.describe()}")

        try:
            training.fit(on_epoch)
        except DivergedError as error:
            told = self._rescue(training, rescued)
            raise DivergedError(f"{error}; {told}Lower {self.stage}.lr, or try train.precision: fp32") from None
        if not training.best:
            raise SegError("no epoch has a validation Dice: no image of the validation side shows a foreground class")
        return training.best

    def refuse_edits(self) -> None:
        """DVC records what it finds after a stage, so an edit made meanwhile would pass for what made this model."""
        if self._key(read_params()) != self.key:
            raise SegError(
                "parameters, code or data of this training were changed while it ran; undo the change and run "
                "`dvc repro`, which then only writes the model, or run it as it is to train anew"
            )

    def _key(self, params: Mapping[str, Any]) -> str:
        """The name of everything that decides the result."""
        fabric = self.fabric
        device = torch.cuda.get_device_name(fabric.device) if fabric.device.type == "cuda" else "cpu"
        installed = {name: version(name) for name in stage_versions(self.stage)}
        precision = fabric.strategy.precision.precision
        return run_digest(self.stage, params, device, precision, fabric.world_size, installed)

    def _keep(self, training: Training, card: Card, *, better: bool) -> None:
        """Every process must call it."""
        kept, state = weights(training) if better else None, capture(training)
        if not self.fabric.is_global_zero:
            return
        if kept:
            save_checkpoint(self.resume.best(training.history[-1].epoch), card, kept)
        self.resume.save(state)
        if training.best:
            self.resume.keep_best(training.best.epoch)

    def _rescue(self, training: Training, kept: Path) -> str:
        best = training.best
        if not best:
            return "no epoch was good enough to keep. "
        if self.fabric.is_global_zero:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.resume.best(best.epoch), kept)
            self.resume.clear()
        return f"the best model so far (epoch {best.epoch}, validation Dice {best.val_dice:.4f}) is {kept}. "

    def _say(self, text: str) -> None:
        if self.fabric.is_global_zero:
            print(text, flush=True)
