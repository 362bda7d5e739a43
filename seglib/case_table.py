"""`cases.csv`: a row for each case and foreground class, written and read again."""

import csv
import hashlib
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seglib.errors import SegError, listing
from seglib.measures import COLUMNS, COUNTS

KEYS = ("id", "group", "class")


@dataclass(frozen=True)
class CaseTable:
    """Figures of all cases: a column is float64 [cases, foreground classes], nan where there is no value."""

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    classes: tuple[str, ...]
    columns: Mapping[str, np.ndarray]

    def mean_of_cases(self, name: str) -> np.ndarray:
        """Mean over the classes that have a value, float64 [cases]; nan for a case without any."""
        values = self.columns[name]
        known = ~np.isnan(values)
        return np.where(known.any(1), np.where(known, values, 0).sum(1) / np.maximum(known.sum(1), 1), np.nan)


def case_name(key: str) -> str:
    """A case's name among files: short, safe, and different for different ids."""
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '_', key)[:40]}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def write_cases(path: Path, table: CaseTable) -> None:
    """Write a row a case and class; a cell without a value stays empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*KEYS, *table.columns])
    for row, (key, group) in enumerate(zip(table.ids, table.groups, strict=True)):
        for column, name in enumerate(table.classes):
            cells = [_cell(header, values[row, column]) for header, values in table.columns.items()]
            writer.writerow([key, group, name, *cells])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def parse_cases(text: str, source: str) -> CaseTable:
    """Read what `write_cases` wrote.

    Raises SegError, with `source` as the file's name, for missing columns, cells that are no finite number,
    and cases that repeat or lack a class.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="cut off")
    try:
        header, rows = reader.fieldnames or (), list(reader)
    except csv.Error as error:
        raise SegError(f"{source}: no CSV ({error}); run `dvc repro evaluate` to write it anew") from None
    if absent := [name for name in (*KEYS, *COLUMNS) if name not in header]:
        raise SegError(f"{source}: no column {listing(absent)}; run `dvc repro evaluate` to write it anew")
    if not rows:
        raise SegError(f"{source}: no case; run `dvc repro evaluate` to write it anew")
    classes = tuple(dict.fromkeys(row["class"] for row in rows))
    found = [(row["id"], row["class"]) for row in rows]
    ids = tuple(dict.fromkeys(row["id"] for row in rows))
    if found != [(key, name) for key in ids for name in classes]:
        raise SegError(f"{source}: not one row for each case and class; run `dvc repro evaluate` to write it anew")
    groups = {row["id"]: row["group"] for row in rows}
    columns = {
        name: np.array([_number(row[name], name, source) for row in rows]).reshape(len(ids), len(classes))
        for name in COLUMNS
    }
    return CaseTable(ids, tuple(groups[key] for key in ids), classes, columns)


def _cell(name: str, value: float) -> str | int | float:
    if math.isnan(value):
        return ""
    return int(value) if name in COUNTS else round(float(value), 6)


def _number(cell: str, name: str, source: str) -> float:
    if not cell:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in cell:
        raise SegError(
            f"{source}: {name} is '{cell:.60}', not a finite number; run `dvc repro evaluate` to write it anew"
        )
    return value
