"""Files that the stages wrote, read strictly."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from seglib.errors import SegError, listing
from seglib.metrics_file import ANEW, parse_json, parse_metrics

Row = Mapping[str, str]
Read = TypeVar("Read")


def read_text(path: Path) -> str:
    """The content of a file; raises SegError where it is missing or not UTF-8."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise SegError(f"{path} is missing: run `dvc repro`") from None
    except UnicodeDecodeError as error:
        raise SegError(f"{path}: not UTF-8 ({error}); {ANEW}") from None


def read_rows(path: Path, read: Callable[[Row], Read], *columns: str) -> list[Read]:
    """Rows of a table that has the columns; raises SegError for a row that is cut off or lacks a number."""
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), delimiter="\t")
    try:
        header, rows = reader.fieldnames or (), list(reader)
    except csv.Error as error:
        raise SegError(f"{path}: no table ({error}); {ANEW}") from None
    if absent := [name for name in columns if name not in header]:
        raise SegError(f"{path}: no column {listing(absent)}; {ANEW}")
    if cut := [number for number, row in enumerate(rows, 2) if None in row or None in row.values()]:
        raise SegError(f"{path}: not {len(header)} cells in line {listing(cut)}; {ANEW}")
    try:
        return [read(row) for row in rows]
    except ValueError as error:
        raise SegError(f"{path}: {error}; {ANEW}") from None


def read_metrics(folder: Path, *needed: str) -> dict[str, float]:
    """The figures of a stage's `metrics.json`; raises SegError where it is broken or lacks a needed one."""
    path = folder / "metrics.json"
    return parse_metrics(read_text(path), str(path), *needed)


def read_json(path: Path, **needed: tuple[str, ...]) -> dict[str, Any]:
    """A mapping with the needed keys, and below them those that they need; raises SegError where one is missing."""
    content = parse_json(read_text(path), str(path))
    if not isinstance(content, dict):
        raise SegError(f"{path}: must hold a mapping, found {type(content).__name__}; {ANEW}")
    check_keys(content, tuple(needed), path)
    for key, below in needed.items():
        if below:
            check_keys(content[key], below, path, f"{key}.")
    return content


def check_keys(content: Any, keys: tuple[str, ...], path: Path, place: str = "") -> None:
    """Raise SegError where the content at a place of a file is no mapping with these keys."""
    absent = [f"{place}{key}" for key in keys if not isinstance(content, Mapping) or key not in content]
    if absent:
        raise SegError(f"{path}: no {listing(absent)}; {ANEW}")
