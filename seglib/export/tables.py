"""What the export reports: `metrics.json`, and the tables that are plotted."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seglib.export.parity import Figures

DIGITS = 6
DICE = ("variant", "dice", "dice_drop", "low", "high", "bytes")
LATENCY = ("variant", "batch", "latency_ms", "dice")


def metrics(figures: Mapping[str, "Figures"]) -> dict[str, int | float]:
    """Flat: `variant/figure` → number, the trained model first; bounds of an interval that has none are left out."""
    found: dict[str, int | float | None] = {}
    trained = next(iter(figures), "")
    for name, of in figures.items():
        own = {
            "dice": _rounded(of.dice),
            "dice_drop": _rounded(of.drop.value),
            "dice_drop_low": _rounded(of.drop.low),
            "dice_drop_high": _rounded(of.drop.high),
            **({} if of.origin in (trained, name) else _lost(of)),
            "max_error": float(f"{of.max_error:.3g}"),
            "bytes": of.bytes,
        }
        found |= {f"{name}/{key}": value for key, value in own.items()}
    return {key: value for key, value in found.items() if value is not None}


def _lost(of: "Figures") -> dict[str, float | None]:
    """What a variant is judged by that is made of another model than the trained one."""
    key = f"dice_drop_from_{of.origin}"
    return {
        key: _rounded(of.lost.value),
        f"{key}_low": _rounded(of.lost.low),
        f"{key}_high": _rounded(of.lost.high),
    }


def write_tables(folder: Path, figures: Mapping[str, "Figures"], timing: Mapping[str, Any]) -> None:
    """Write `dice.tsv`, and `latency.tsv`, which has a header alone where nothing was timed."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "dice.tsv", DICE, [_dice_row(name, of) for name, of in figures.items()])
    _write(folder / "latency.tsv", LATENCY, list(_latency_rows(figures, timing)))


def _dice_row(name: str, of: "Figures") -> Sequence[object]:
    numbers = (of.dice, of.drop.value, of.drop.low, of.drop.high)
    return name, *("" if value is None else _rounded(value) for value in numbers), of.bytes


def _latency_rows(figures: Mapping[str, "Figures"], timing: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    for name, of in figures.items():
        for key, latency in timing.get(name, {}).items():
            prefix, _, batch = key.partition("batch_")
            if not prefix:
                yield name, batch, latency["median_ms"], _rounded(of.dice)


def _rounded(value: float | None) -> float | None:
    """Never -0."""
    return None if value is None else round(value, DIGITS) + 0.0


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
