"""All that the page tells, read from the files that the stages wrote."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seglib.case_table import CaseTable, parse_cases
from seglib.errors import SegError, listing
from seglib.paths import EVALUATE_REPORT, INDEX, QUALITY, SPLIT, TRAIN_REPORT

Row = Mapping[str, str]


@dataclass(frozen=True)
class Bin:
    """Pixels whose probability of a class lies in one range, pooled over all cases."""

    name: str
    confidence: float
    """Mean probability."""
    frequency: float
    """Share of the pixels that are of the class."""
    pixels: int


@dataclass(frozen=True)
class ClassFigures:
    """One foreground class over all test cases."""

    name: str
    n: int
    """Cases in which it has a value."""
    n_empty: int
    n_missed: int
    frequency: float
    """Share of the test pixels; nan where none counts."""
    figures: Mapping[str, float]
    """Every other column that has a value."""


@dataclass(frozen=True)
class Results:
    """The content of the files."""

    metrics: Mapping[str, float]
    cases: CaseTable
    classes: Sequence[ClassFigures]
    confusion: Mapping[tuple[str, str], float]
    """(truth, prediction) → share of the truth's pixels; empty where classes overlap."""
    calibration: Sequence[Bin]
    training: Mapping[str, float]
    curves: Mapping[str, Sequence[tuple[float, float]]]
    """`loss.train`, `loss.val`, `dice.val`, `lr.lr` → (epoch, value)."""
    dataset: Mapping[str, Any]
    samples: Sequence[Mapping[str, Any]]
    quality: Mapping[str, Any]
    split: Mapping[str, Any]

    @cached_property
    def test_samples(self) -> list[Mapping[str, Any]]:
        """What the index knows of the measured cases."""
        measured = set(self.cases.ids)
        return [sample for sample in self.samples if sample["id"] in measured]

    @cached_property
    def distance(self) -> str:
        """The unit of distances: mm where every test sample's spacing is known, pixels where none is."""
        known = [bool(sample["spacing"]) for sample in self.test_samples]
        if any(known) and not all(known):
            return f"mm or {self.pixels}"
        return "mm" if any(known) else self.pixels

    @cached_property
    def pixels(self) -> str:
        """What the smallest parts of the samples are called."""
        return "voxels" if any(len(sample["shape"]) == 3 for sample in self.test_samples) else "pixels"


def read_results() -> Results:
    """Read the outputs of `check`, `split`, `train` and `evaluate` in the current folder.

    Raises SegError where one is missing or has other columns.
    """
    index = _json(INDEX)
    plots, cases = EVALUATE_REPORT / "plots", EVALUATE_REPORT / "cases.csv"
    confusion = _rows(plots / "confusion.tsv", "truth", "prediction", "pixels", "share")
    return Results(
        metrics=_json(EVALUATE_REPORT / "metrics.json"),
        cases=parse_cases(_text(cases), str(cases)),
        classes=_classes(plots / "classes.tsv"),
        confusion={(row["truth"], row["prediction"]): float(row["share"] or "nan") for row in confusion},
        calibration=_bins(plots / "calibration.tsv"),
        training=_json(TRAIN_REPORT / "metrics.json"),
        curves=_curves(TRAIN_REPORT / "plots"),
        dataset=index["dataset"],
        samples=index["samples"],
        quality=_json(QUALITY),
        split=_json(SPLIT),
    )


def _classes(path: Path) -> list[ClassFigures]:
    keys = ("class", "n", "n_empty", "n_missed", "frequency")
    return [
        ClassFigures(
            name=row["class"],
            n=int(row["n"]),
            n_empty=int(row["n_empty"]),
            n_missed=int(row["n_missed"]),
            frequency=float(row["frequency"] or "nan"),
            figures={name: float(cell) for name, cell in row.items() if name not in keys and cell},
        )
        for row in _rows(path, *keys)
    ]


def _bins(path: Path) -> list[Bin]:
    rows = _rows(path, "class", "confidence", "frequency", "pixels")
    return [Bin(row["class"], float(row["confidence"]), float(row["frequency"]), int(row["pixels"])) for row in rows]


def _curves(folder: Path) -> dict[str, list[tuple[float, float]]]:
    found = {}
    for file, names in {"loss": ("train", "val"), "dice": ("val",), "lr": ("lr",)}.items():
        rows = _rows(folder / f"{file}.tsv", "epoch", *names)
        for name in names:
            points = [(float(row["epoch"]), float(row[name] or "nan")) for row in rows]
            found[f"{file}.{name}"] = [point for point in points if math.isfinite(point[1])]
    return found


def _rows(path: Path, *columns: str) -> list[Row]:
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), delimiter="\t")
    if absent := [name for name in columns if name not in (reader.fieldnames or ())]:
        raise SegError(f"{path}: no column {listing(absent)}; run `dvc repro` to write it anew")
    return list(reader)


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except ValueError as error:
        raise SegError(f"{path}: not valid JSON ({error}); run `dvc repro` to write it anew") from None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise SegError(f"{path} is missing: run `dvc repro`") from None
