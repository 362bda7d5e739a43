"""What training writes down of its epochs: learning curves, a summary, and times apart from both."""

import csv
from collections.abc import Sequence
from pathlib import Path

import torch

from seglib.engine import Epoch
from seglib.peak_memory import peak_megabytes


def write_curves(folder: Path, history: Sequence[Epoch]) -> None:
    """Write `loss.tsv`, `dice.tsv` and `lr.tsv`, a row an epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "loss.tsv", ("epoch", "train", "val"), [(e.epoch, e.train_loss, e.val_loss) for e in history])
    _write(folder / "dice.tsv", ("epoch", "val"), [(e.epoch, e.val_dice) for e in history])
    _write(folder / "lr.tsv", ("epoch", "lr"), [(e.epoch, e.lr) for e in history])


def summary(history: Sequence[Epoch], best: Epoch) -> dict[str, float | int]:
    """The metrics of the best epoch."""
    return {
        "best_epoch": best.epoch,
        "epochs": len(history),
        "train_loss": round(best.train_loss, 6),
        "val_loss": round(best.val_loss, 6),
        "val_dice": round(best.val_dice, 6),
    }


def timing(history: Sequence[Epoch], images: int) -> dict[str, float]:
    """Seconds with and without validation, seconds waited for data, images trained on a second, and memory.

    Differs from run to run. The memory is that of this process since it started, after the last resume that is.
    """
    trained = sum(epoch.trained for epoch in history)
    return {
        "peak_memory_gb": peak_memory(),
        "seconds": sum(epoch.seconds for epoch in history),
        "seconds_without_validation": trained,
        "waited_for_data": sum(epoch.waited for epoch in history),
        "images_per_second": images * len(history) / trained,
    }


def peak_memory() -> float:
    """The most memory in GB that this process held: of the GPU where it has one, else of the machine."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated() / 1e9
    return peak_megabytes() / 1e3


def _write(path: Path, header: Sequence[str], rows: Sequence[tuple[float, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows([row[0], *(f"{value:.6g}" for value in row[1:])] for row in rows)
