"""Reports of the stage `export`, written as it writes them, with invented but plausible figures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ALL = (
    "onnx", "onnx_fp16", "onnx_int8", "openvino", "openvino_fp16", "openvino_int8", "torchscript", "program",
    "tensorrt",
)  # fmt: skip
SPEED = {"torch": 62, "onnx": 41, "openvino": 26, "torchscript": 58, "program": 60, "tensorrt": 11, "pruned": 34}
"""Milliseconds for an image."""
PRUNED_LOSS = 0.0121
HOST = {"cpu": "A processor", "cores": 4, "threads": 2, "versions": {"torch": "2.13.0", "onnxruntime": "1.31.0"}}
GAIN = {"fp16": 1.5, "int8": 2.4}


def figures(variants: Sequence[str], dice: float = 0.8931) -> dict[str, float]:
    """The content of `metrics.json`."""
    found: dict[str, float] = {"n": 148, "max_dice_drop": 0.005, "confidence": 0.95}
    if not variants:
        return found | {"n": 0}
    found |= {"torch/dice": dice, "torch/bytes": 26_112_345}
    found |= {"torch/dice_drop": 0.0, "torch/dice_drop_low": 0.0, "torch/dice_drop_high": 0.0, "torch/max_error": 0.0}
    for name in variants:
        drop, error, size = _loss(name)
        found |= {f"{name}/dice": dice - drop, f"{name}/dice_drop": drop, f"{name}/dice_drop_low": drop - 0.0004}
        if name.startswith("pruned_"):
            lost, key = drop - PRUNED_LOSS, f"{name}/dice_drop_from_pruned"
            found |= {key: lost, f"{key}_low": lost - 0.0002, f"{key}_high": lost + 0.0002}
        found |= {f"{name}/dice_drop_high": drop + 0.0004, f"{name}/max_error": error, f"{name}/bytes": size}
    return found


def timing(variants: Sequence[str]) -> dict[str, Any]:
    """The content of `timing.json`."""
    found: dict[str, Any] = {"host": HOST}
    for name in ("torch", *variants):
        median = _milliseconds(name)
        found[name] = {f"batch_{batch}": _batch(median * {1: 1, 8: 6.4}[batch], batch) for batch in (1, 8)}
        found[name]["peak_memory_mb"] = 410.5
    return found


def write_export(root: Path, variants: Sequence[str] = ALL, *, timed: bool = True) -> None:
    """Write both files below a folder."""
    folder = root / "reports/export"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(figures(variants)))
    (folder / "timing.json").write_text(json.dumps(timing(variants) if timed else {}))


def write_pruning(root: Path, **changed: float | None) -> None:
    """Write the report of the stage `prune` below a folder, with figures changed, or taken away where None."""
    found = {"ratio": 0.3, "weights_before": 1_626_850, "weights_after": 798_112}
    found |= {"flops_before": 6.5e9, "flops_after": 3.2e9}
    found |= {"val_dice_before": 0.8931, "val_dice_pruned": 0.41, "val_dice": 0.881} | changed
    folder = root / "reports/prune"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps({key: value for key, value in found.items() if value is not None}))


def _loss(name: str) -> tuple[float, float, int]:
    """The drop of Dice, the largest error and the bytes of a variant."""
    pruned = PRUNED_LOSS if name.startswith("pruned") else 0.0
    if name.endswith("int8"):
        return 0.0017 + pruned, 0.31, 6_700_000
    if name.endswith("fp16"):
        return 0.0001 + pruned, 0.012, 13_100_000
    return pruned, 3.1e-6, 26_000_000


def _milliseconds(name: str) -> float:
    base, _, precision = name.removeprefix("pruned_").partition("_")
    return SPEED.get(base, 50) / GAIN.get(precision, 1) / (1.8 if name.startswith("pruned_") else 1)


def _batch(median: float, batch: int) -> dict[str, float]:
    return {"median_ms": median, "p95_ms": 1.1 * median, "images_per_second": 1000 * batch / median}
