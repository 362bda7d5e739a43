"""The section on exported variants: a row for each, and charts of their speed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglib.report.charts import Chart
from seglib.report.exported import TRAINED, Exported, Latency, Pruned, Variant, read_exported, read_pruned
from seglib.report.numbers import count, decimal, megabytes, percent, significant
from seglib.report.speed_charts import speed_charts

PRUNED = "pruned"
FORMATS = {
    "torch": "PyTorch",
    "onnx": "ONNX",
    "openvino": "OpenVINO",
    "torchscript": "TorchScript",
    "program": "torch.export",
    "tensorrt": "TensorRT",
}
PRECISIONS = {"fp16": "16 bits", "int8": "8 bits"}
COMPARED = ("dice_drop", "dice_drop_low", "dice_drop_high", "max_error")
"""Figures of a variant beside the trained model."""
HOST = {"cpu": "Processor", "gpu": "GPU", "cores": "Cores", "threads": "Threads"}
SMALLEST = 1e-5
"""Of an error below it the page only says that it is smaller."""


@dataclass(frozen=True)
class Speed:
    """How long a batch takes."""

    median: str
    p95: str
    gain: str
    """Against the trained model; empty for that itself."""


@dataclass(frozen=True)
class Row:
    """A variant; a dash stands for what is not known."""

    name: str
    form: str
    dice: str
    drop: str
    interval: str
    """Of the drop; empty where there is none."""
    error: str
    size: str
    speeds: Sequence[Speed | None]
    """By batch."""
    memory: str
    verdict: str
    mark: str
    """`holds`, `fails`, or nothing for what is not judged."""


@dataclass(frozen=True)
class ExportPart:
    """What the page says of exported variants."""

    found: Exported
    confidence: str
    """Of the intervals."""
    rows: Sequence[Row]
    """The trained model first."""
    charts: Sequence[Chart]
    """Empty where nothing was timed."""
    host: Sequence[tuple[str, str]]
    """Where variants were timed, likewise."""
    pruned: Sequence[tuple[str, str]]
    """What the pruning did; empty where it is off."""


def export_part() -> ExportPart | None:
    """Collect the section from what `export` reported in the current folder; None where there is nothing to tell."""
    found = read_exported()
    if found is None:
        return None
    confidence = percent(found.confidence).replace(".0", "")
    rows = [_row(variant, found) for variant in found.variants]
    return ExportPart(found, confidence, rows, speed_charts(found), _host(found.host), _pruned(read_pruned()))


def _row(variant: Variant, exported: Exported) -> Row:
    mark, verdict = _judged(variant, exported.max_drop)
    drop, low, high, error = (math.nan if variant.name == TRAINED else variant.figure(name) for name in COMPARED)
    return Row(
        name=variant.name,
        form=form(variant.name),
        dice=decimal(variant.figure("dice"), 4),
        drop=decimal(drop, 4),
        interval="" if math.isnan(low + high) else f"{decimal(low, 4)} to {decimal(high, 4)}",
        error=_error(error),
        size=megabytes(int(variant.figures["bytes"])),
        speeds=[_speed(variant, exported.trained.latencies[batch], batch) for batch in exported.batches],
        memory="–" if math.isnan(variant.peak_memory) else f"{variant.peak_memory:,.0f} MB",
        verdict=verdict,
        mark=mark,
    )


def form(name: str) -> str:
    """The format of a variant in words: `pruned_onnx_int8` is ONNX, 8 bits, pruned."""
    rest = name.removeprefix(PRUNED)
    base, _, precision = (rest.removeprefix("_") or TRAINED).partition("_")
    words = FORMATS.get(base, base), PRECISIONS.get(precision, precision), PRUNED if rest != name else ""
    return ", ".join(filter(None, words))


def _error(error: float) -> str:
    if math.isnan(error):
        return "–"
    return f"< {SMALLEST:.5f}" if 0 < error < SMALLEST else significant(error)


def _speed(variant: Variant, trained: Latency, batch: int) -> Speed | None:
    found = variant.latencies.get(batch)
    if found is None:
        return None
    gain = "" if variant.name == TRAINED else f"{trained.median / found.median:.1f} × as fast"
    return Speed(f"{significant(found.median)} ms", f"{significant(found.p95)} ms", gain)


def _judged(variant: Variant, limit: float) -> tuple[str, str]:
    """Whether a variant passes the gate, as a mark and in words."""
    if variant.name == TRAINED:
        return "", "the trained model"
    if variant.name == PRUNED:
        return "", "a smaller network: its drop is told, not judged"
    judged, beside = "dice_drop", ""
    if variant.name.startswith(f"{PRUNED}_"):
        judged = f"{judged}_from_{PRUNED}"
        beside = f" from {PRUNED}, {decimal(variant.figure(judged), 4)},"
    drop, high = variant.figure(judged), variant.figure(f"{judged}_high")
    if math.isnan(drop):
        return "", "not judged: no image has a Dice"
    if drop > limit:
        return "fails", f"the drop{beside} is above the limit"
    if math.isnan(high):
        return "holds", f"the drop{beside} is within the limit; too few groups for an interval"
    return "holds", f"the drop{beside} is within the limit{'' if high <= limit else ', its interval is not'}"


def _pruned(found: Pruned | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    before, cut, after = (decimal(value, 4) for value in found.dice)
    return [
        ("Channels removed", percent(found.ratio)),
        ("Weights", " → ".join(map(count, found.weights))),
        ("GFLOPs for an image", " → ".join(significant(value / 1e9) for value in found.flops)),
        ("Validation Dice", f"{before} → {cut} when cut → {after} trained on"),
    ]


def _host(host: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = [(label, str(host[key])) for key, label in HOST.items() if key in host]
    versions = [(f"Version of {name}", version) for name, version in host.get("versions", {}).items()]
    return known + versions
