"""From measured cases to the figures of a test side: means and pooled figures, each with its interval.

`seglib.metrics` states the conventions. Intervals are those of `seglib.statistics`, over groups.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from seglib.calibration import pooled
from seglib.case_table import CaseTable
from seglib.figures import figures as class_figures
from seglib.measures import COLUMNS, OF_CASES
from seglib.metrics import CONVENTIONS, Measured
from seglib.statistics import Ratio, interval, ratio_of_sums

Cell = str | int | float | None
Row = dict[str, Cell]
DIGITS = 6
OF_A_CLASS = ("dice", "iou", "n", "n_empty", "n_missed", "frequency")
"""Figures of each class in `metrics.json`; the per-class table has all of them."""
CONFUSION = ("truth", "prediction", "pixels", "share", "share_low", "share_high")
CALIBRATION = ("class", "confidence", "frequency", "pixels")


@dataclass(frozen=True)
class Case:
    """A measured sample of the test side."""

    id: str
    group: str
    measured: Measured
    at_model_size: Mapping[str, np.ndarray]
    """AT_MODEL_SIZE → float64 [foreground classes]."""


@dataclass(frozen=True)
class Evaluation:
    """All cases of the test side, at least one; `classes` names the background first."""

    cases: Sequence[Case]
    classes: Sequence[str]
    confidence: float

    @cached_property
    def table(self) -> CaseTable:
        """What `cases.csv` holds."""
        values = [{**case.measured.values, **case.at_model_size} for case in self.cases]
        return CaseTable(
            tuple(case.id for case in self.cases),
            tuple(case.group for case in self.cases),
            tuple(self.classes[1:]),
            {name: np.stack([found[name] for found in values]) for name in COLUMNS},
        )

    def metrics(self) -> dict[str, int | float]:
        """What `metrics.json` holds: flat and finite; a figure that no case defines is left out."""
        columns = self.table.columns
        figures: Row = {
            "conventions": CONVENTIONS,
            "n": len(self.cases),
            "n_groups": len(set(self.table.groups)),
            **self._intervals({**class_figures(columns), **self._figures_with_background()}),
            "n_empty": int(_empty(columns).sum()),
            "n_missed": int(_missed(columns).sum()),
        }
        figures |= {f"{mean.name}_n": int((~np.isnan(columns[mean.name])).sum()) for mean in OF_CASES}
        for row in self.class_rows:
            figures |= {f"{row['class']}/{name}": row[name] for name in OF_A_CLASS}
        return {name: value for name, value in figures.items() if isinstance(value, int | float)}

    @cached_property
    def class_rows(self) -> list[Row]:
        """The per-class table, `plots/classes.tsv`: numbers of cases, frequency, and all figures with intervals."""
        columns = self.table.columns
        pixels = np.array([[case.measured.pixels] for case in self.cases])
        rows = []
        for c, name in enumerate(self.table.classes):
            own = {column: values[:, [c]] for column, values in columns.items()}
            empty = int(_empty(own).sum())
            numbers = {"n": len(self.cases) - empty, "n_empty": empty, "n_missed": int(_missed(own).sum())}
            figures = {"frequency": ratio_of_sums(own["truth"], pixels), **class_figures(own)}
            rows.append({"class": name, **numbers, **self._intervals(figures)})
        return rows

    @property
    def confusion_rows(self) -> list[Row]:
        """`plots/confusion.tsv`: pixels by truth and prediction, with their share of the truth's pixels, else 0."""
        if not self._confusion:
            return []
        pixels = np.stack(self._confusion)
        of_truth = pixels.sum(2)
        rows = []
        for (t, g), number in np.ndenumerate(pixels.sum(0)):
            share = self._intervals({"share": ratio_of_sums(pixels[:, t, [g]], of_truth[:, [t]])})
            names = {"truth": self.classes[t], "prediction": self.classes[g]}
            rows.append({**names, "pixels": int(number), **share, "share": share["share"] or 0.0})
        return rows

    @property
    def calibration_rows(self) -> list[Row]:
        """`plots/calibration.tsv`: mean probability, share of the class and pixels of each bin that has some."""
        bins = pooled(case.measured.reliability for case in self.cases)
        rows = []
        for (c, b), pixels in np.ndenumerate(bins.pixels):
            if pixels:
                means = (_rounded(part[c, b] / pixels) for part in (bins.probability, bins.truth))
                rows.append(dict(zip(CALIBRATION, (self.classes[c + 1], *means, int(pixels)), strict=True)))
        return rows

    def write_plots(self, folder: Path) -> None:
        """Write `classes.tsv`, `confusion.tsv` and `calibration.tsv`."""
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "classes.tsv", tuple(self.class_rows[0]), self.class_rows)
        _write(folder / "confusion.tsv", CONFUSION, self.confusion_rows)
        _write(folder / "calibration.tsv", CALIBRATION, self.calibration_rows)

    @property
    def _confusion(self) -> list[np.ndarray]:
        """Of each case; none where classes overlap."""
        return [case.measured.confusion for case in self.cases if case.measured.confusion is not None]

    def _figures_with_background(self) -> dict[str, Ratio]:
        if not self._confusion:
            return {}
        right = np.stack([table.diagonal() for table in self._confusion])
        shown = np.stack([table.sum(0) + table.sum(1) for table in self._confusion])
        return {
            "iou_pooled_with_background": ratio_of_sums(right, shown - right),
            "pixel_accuracy": ratio_of_sums(right.sum(1, keepdims=True), shown.sum(1, keepdims=True) // 2),
        }

    def _intervals(self, figures: Mapping[str, Ratio]) -> Row:
        row: Row = {}
        for name, figure in figures.items():
            found = interval(figure, self.table.groups, self.confidence)
            bounds = {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
            row |= {key: _rounded(value) for key, value in bounds.items()}
        return row


def _empty(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where a class is absent from truth and prediction, bool [cases, classes]."""
    return columns["truth"] + columns["guess"] == 0


def _missed(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where no pixel of a class that the truth shows is found, bool [cases, classes]."""
    return (columns["truth"] > 0) & (columns["both"] == 0)


def _rounded(value: float | None) -> float | None:
    """None where there is no value; never -0."""
    return None if value is None or not math.isfinite(value) else round(float(value), DIGITS) + 0.0


def _write(path: Path, header: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
