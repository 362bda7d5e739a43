"""All that the page tells, read from the files that the stages wrote."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from seglib.case_table import CaseTable, parse_cases
from seglib.errors import SegError
from seglib.metrics_file import ANEW
from seglib.paths import EVALUATE_REPORT, INDEX, QUALITY, SPLIT, TRAIN_REPORT
from seglib.report.files import Row, read_json, read_metrics, read_rows, read_text
from seglib.statistics import Interval

DATASET = ("name", "classes", "channels", "modality", "licence", "citation", "overlapping")
QUALITY_SUMMARY = ("samples", "groups", "shapes", "spacings", "dtypes", "foreground_share", "classes")
FIGURES = ("conventions", "n", "n_groups", "n_empty", "n_missed", "threshold", "distances_in_mm")
SHARES = ("truth", "prediction", "pixels", "share", "share_low", "share_high")
TRAINING = ("best_epoch", "epochs", "val_dice")


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
    confusion: Mapping[tuple[str, str], Interval]
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
        """The unit of distances."""
        return "mm" if self.metrics["distances_in_mm"] else self.pixels

    @cached_property
    def pixels(self) -> str:
        """What the smallest parts of the samples are called."""
        return "voxels" if any(len(sample["shape"]) == 3 for sample in self.test_samples) else "pixels"


def read_results() -> Results:
    """Read the outputs of `check`, `split`, `train` and `evaluate` in the current folder.

    Raises SegError where one is missing, broken, or has other columns or keys.
    """
    index = read_json(INDEX, dataset=DATASET, samples=())
    plots, cases = EVALUATE_REPORT / "plots", EVALUATE_REPORT / "cases.csv"
    return Results(
        metrics=read_metrics(EVALUATE_REPORT, *FIGURES),
        cases=parse_cases(read_text(cases), str(cases)),
        classes=_classes(plots / "classes.tsv"),
        confusion=dict(read_rows(plots / "confusion.tsv", _share, *SHARES)),
        calibration=read_rows(plots / "calibration.tsv", _bin, "class", "confidence", "frequency", "pixels"),
        training=read_metrics(TRAIN_REPORT, *TRAINING),
        curves=_curves(TRAIN_REPORT / "plots"),
        dataset=index["dataset"],
        samples=index["samples"],
        quality=read_json(QUALITY, findings=(), accepted=(), clusters=(), summary=QUALITY_SUMMARY),
        split=read_json(SPLIT, train=(), val=(), test=(), summary=("balance",)),
    )


def _classes(path: Path) -> list[ClassFigures]:
    keys = ("class", "n", "n_empty", "n_missed", "frequency")

    def read(row: Row) -> ClassFigures:
        return ClassFigures(
            name=row["class"],
            n=int(row["n"]),
            n_empty=int(row["n_empty"]),
            n_missed=int(row["n_missed"]),
            frequency=float(row["frequency"] or "nan"),
            figures={name: float(cell) for name, cell in row.items() if name not in keys and cell},
        )

    if found := read_rows(path, read, *keys):
        return found
    raise SegError(f"{path}: no class; {ANEW}")


def _bin(row: Row) -> Bin:
    return Bin(row["class"], float(row["confidence"]), float(row["frequency"]), int(row["pixels"]))


def _share(row: Row) -> tuple[tuple[str, str], Interval]:
    low, high = (float(row[f"share_{end}"]) if row[f"share_{end}"] else None for end in ("low", "high"))
    return (row["truth"], row["prediction"]), Interval(float(row["share"] or "nan"), low, high)


def _curves(folder: Path) -> dict[str, list[tuple[float, float]]]:
    found = {}
    for file, names in {"loss": ("train", "val"), "dice": ("val",), "lr": ("lr",)}.items():
        for name in names:
            points = read_rows(
                folder / f"{file}.tsv",
                lambda row, name=name: (float(row["epoch"]), float(row[name] or "nan")),
                "epoch",
                *names,
            )
            found[f"{file}.{name}"] = [point for point in points if math.isfinite(point[1])]
    return found
