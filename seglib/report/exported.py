"""Variants of the model for deployment: how exact, how large and how fast `export` found each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglib.paths import EXPORT_REPORT, PRUNE_REPORT
from seglib.report.files import check_keys, read_json, read_metrics

TRAINED = "torch"
"""What the trained model is called among the variants."""
SKIPPED = "_skipped"
"""What follows the name of a variant that could not be made."""
BATCHES = (1, 8)
"""Images at once, for which variants are timed."""
TIMING = EXPORT_REPORT / "timing.json"


@dataclass(frozen=True)
class Latency:
    """Milliseconds that a batch takes."""

    median: float
    p95: float


@dataclass(frozen=True)
class Variant:
    """A model file in one format and precision."""

    name: str
    figures: Mapping[str, float]
    """`dice`, `dice_drop` and the like of `metrics.json`; what is not known is left out."""
    latencies: Mapping[int, Latency]
    """By batch; empty where nothing was timed."""
    peak_memory: float
    """MB; nan where it is not known."""

    def figure(self, name: str) -> float:
        """A figure, or nan."""
        return self.figures.get(name, math.nan)


@dataclass(frozen=True)
class Pruned:
    """What the stage `prune` made of the trained model."""

    ratio: float
    """Share of the channels that were removed."""
    weights: tuple[float, float]
    """Before and after."""
    flops: tuple[float, float]
    """Floating-point operations for an image, likewise."""
    dice: tuple[float, float, float]
    """Of the validation side as training measures it: before, pruned, and trained on."""


@dataclass(frozen=True)
class Exported:
    """What the stage found."""

    n: int
    """Validation images that were compared."""
    max_drop: float
    """The gate: a variant whose Dice is lower than that of the model it was made of by more fails the stage."""
    confidence: float
    """Of the intervals."""
    variants: Sequence[Variant]
    """The trained model first."""
    host: Mapping[str, Any]
    """Where variants were timed; empty where they were not."""
    skipped: Sequence[str]
    """Variants that the machine could not make."""

    @property
    def trained(self) -> Variant:
        """The model that the others are compared with."""
        return self.variants[0]

    @property
    def batches(self) -> list[int]:
        """Batches that the trained model was timed with."""
        return sorted(self.trained.latencies)


def read_exported() -> Exported | None:
    """Read the reports of `export` in the current folder; None where that stage has not run, or is off.

    Raises SegError where one is broken or lacks a key.
    """
    if not (EXPORT_REPORT / "metrics.json").exists():
        return None
    if not read_metrics(EXPORT_REPORT, "n")["n"]:
        return None
    metrics = read_metrics(EXPORT_REPORT, "n", "max_dice_drop", "confidence")
    if f"{TRAINED}/bytes" not in metrics:
        return None
    timing = read_json(TIMING)
    figures: dict[str, dict[str, float]] = {TRAINED: {}}
    for key, value in metrics.items():
        name, slash, figure = key.rpartition("/")
        if slash:
            figures.setdefault(name, {})[figure] = value
    variants = [_variant(name, known, timing.get(name)) for name, known in figures.items()]
    limits = metrics["max_dice_drop"], metrics["confidence"]
    skipped = [key.removesuffix(SKIPPED) for key in metrics if key.endswith(SKIPPED)]
    return Exported(int(metrics["n"]), *limits, variants, timing.get("host", {}), skipped)


def read_pruned() -> Pruned | None:
    """Read the report of `prune` in the current folder; None where that stage has not run, or is off.

    Raises SegError where it is broken or lacks a key.
    """
    if not (PRUNE_REPORT / "metrics.json").exists() or not read_metrics(PRUNE_REPORT, "ratio")["ratio"]:
        return None
    costs, dice = ("before", "after"), ("val_dice_before", "val_dice_pruned", "val_dice")
    needed = [f"{what}_{when}" for what in ("weights", "flops") for when in costs]
    found = read_metrics(PRUNE_REPORT, *needed, *dice)
    weights, flops = ((found[f"{what}_before"], found[f"{what}_after"]) for what in ("weights", "flops"))
    before, pruned, after = (found[name] for name in dice)
    return Pruned(found["ratio"], weights, flops, (before, pruned, after))


def _variant(name: str, figures: Mapping[str, float], timing: Any) -> Variant:
    if timing is None:
        return Variant(name, figures, {}, math.nan)
    check_keys(timing, tuple(f"batch_{batch}" for batch in BATCHES), TIMING, f"{name}.")
    return Variant(
        name,
        figures,
        {batch: _latency(timing[f"batch_{batch}"], f"{name}.batch_{batch}.") for batch in BATCHES},
        timing.get("peak_memory_mb", math.nan),
    )


def _latency(timing: Any, place: str) -> Latency:
    check_keys(timing, ("median_ms", "p95_ms"), TIMING, place)
    return Latency(timing["median_ms"], timing["p95_ms"])
