"""Train the network on the cache and keep the epoch with the best validation Dice."""

import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from seglib.advice import advise
from seglib.checkpoint import save_checkpoint
from seglib.config import read_params
from seglib.curves import summary, timing, write_curves
from seglib.engine import Training
from seglib.fabric import open_fabric
from seglib.loggers import log_epoch, open_loggers
from seglib.out_of_memory import explained
from seglib.paths import BEST, CACHE, ENCODER, INDEX, LAST, SPLIT, TRAIN_REPORT, training_logs
from seglib.training_run import Run
from seglib.training_setup import Setup
from seglib.training_state import weights
from seglib.whole_files import write_whole


def main() -> None:
    """Write `models/best.pt`, `models/last.pt` and the learning curves."""
    params = read_params()
    setup, logs = Setup(params, INDEX, CACHE, SPLIT), training_logs()
    fabric = open_fabric(setup.settings)
    run = Run("train", params, fabric)
    with (
        run.resume.alone(fabric.barrier),
        open_loggers(logs) as loggers,
        explained(setup.settings, setup.pixels.image_size),
    ):
        fabric.loggers.extend(loggers)
        training = setup.training(fabric, ENCODER)
        best = run.fit(training, setup.card, logs / "last_good.pt", lambda: log_epoch(fabric, training, setup.card))
        last = weights(training)
        if fabric.is_global_zero:
            run.refuse_edits()
            _write(training, setup, run.resume.best(best.epoch), last, logs)
            run.resume.clear()


def _write(training: Training, setup: Setup, model: Path, last: Mapping[str, Tensor], logs: Path) -> None:
    history, best = training.history, training.best
    assert best
    save_checkpoint(LAST, setup.card, last)
    write_whole(BEST, model.read_bytes())
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
