"""The table of all cases, as the data that the page's script sorts and filters."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from seglib.measures import COUNTS, MEASURES
from seglib.report.gallery import Gallery, thumbnails
from seglib.report.numbers import UNITS
from seglib.report.results import Results

LABELS = {measure.name: measure.label for measure in MEASURES} | {
    "truth": "Truth",
    "guess": "Prediction",
    "lesions": "Objects",
    "lesions_found": "Objects found",
}
SHOWN = (
    *("dice", "iou", "nsd", "hd95", "precision", "recall", "truth", "guess"),
    *("lesions", "lesions_found", "volume_difference", "assd", "calibration_error"),
)
"""Columns of the table; counts of several classes are added up."""


def case_rows(results: Results, gallery: Gallery) -> Mapping[str, Any]:
    """Cases, columns and values, float or None [cases][classes that truth or prediction shows], as JSON takes them.

    `places` has the numbers of these classes, and `missed` says of each whether the truth shows it and nothing of it
    is found. The other classes have no value in the case, and count 0. The more all this takes, the fewer pictures
    there are.
    """
    cases = results.cases
    present = (cases.columns["truth"] > 0) | (cases.columns["guess"] > 0)
    missed = present & (cases.columns["both"] == 0) & (cases.columns["truth"] > 0)
    table = {
        "places": [np.flatnonzero(row).tolist() for row in present],
        "missed": _picked(missed.astype(int), present),
        "columns": [_column(name, results, present) for name in SHOWN],
    }
    pictures = thumbnails(results, len(json.dumps(table, separators=(",", ":"))))
    anchors = {case.id: case.anchor for case in (*gallery.first, *gallery.others)}
    groups = [None if group == key else group for key, group in zip(cases.ids, cases.groups, strict=True)]
    return {
        "classes": cases.classes,
        "grouped": any(groups),
        "cases": [
            {"id": key, "group": group or "", "picture": pictures.get(key, ""), "anchor": anchors.get(key, "")}
            for key, group in zip(cases.ids, groups, strict=True)
        ],
        **table,
    }


def _column(name: str, results: Results, present: np.ndarray) -> dict[str, Any]:
    kind = "count" if name in COUNTS else UNITS[name] or "share"
    unit = {"hd95": results.distance, "assd": results.distance, "truth": results.pixels, "guess": results.pixels}
    label = f"{LABELS[name]}, {unit[name]}" if name in unit else LABELS[name]
    return {"name": name, "label": label, "kind": kind, "values": _values(results.cases.columns[name], name, present)}


def _values(values: np.ndarray, name: str, present: np.ndarray) -> list[list[float | int | None]]:
    digits = 0 if name in COUNTS else 4
    return [[None if math.isnan(x) else _rounded(x, digits) for x in row] for row in _picked(values, present)]


def _picked(values: np.ndarray, present: np.ndarray) -> list[list[Any]]:
    """Of each case those of the classes that it shows."""
    return [row[shown].tolist() for row, shown in zip(values, present, strict=True)]


def _rounded(value: float, digits: int) -> float | int:
    return round(value, digits) if digits else round(value)
