"""Pictures of cases inside the page: worst, median and best, and what else was drawn."""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seglib.case_table import case_name
from seglib.errors import SegError
from seglib.paths import EVALUATE_REPORT
from seglib.report.charts import SERIES
from seglib.report.numbers import count, decimal, measured
from seglib.report.results import Results

PICTURES, THUMBNAILS = EVALUATE_REPORT / "pictures", EVALUATE_REPORT / "thumbnails"
KINDS = ("image", "truth", "prediction", "errors")
SHOWN = {"dice": "Dice", "iou": "IoU", "nsd": "NSD", "hd95": "HD95"}
THUMBNAIL_BUDGET, PICTURE_BUDGET = 5_000_000, 3_500_000
"""Bytes of all thumbnails, and of the pictures of all cases, the worst cases' first. In the page they are 4/3 of that,
so 11.3 MB, which leaves 3.7 MB of 15 MB to all else."""
TABLE_BUDGET = 1_500_000
"""Bytes of the table of cases; what it takes beyond is taken from the thumbnails. With 1,000 cases that show all
classes it takes more from about 20 classes on, and leaves no thumbnail from about 100 on; up to 110 the page stays
under 15 MB."""


@dataclass(frozen=True)
class Case:
    """A case that is shown large."""

    id: str
    anchor: str
    label: str
    """Worst case, Median case, Best case, or its rank."""
    facts: Sequence[tuple[str, str]]
    pictures: dict[str, str]
    """Kind → data URI."""


@dataclass(frozen=True)
class Gallery:
    """The three cases that stand for all, and the others that were drawn."""

    first: Sequence[Case]
    others: Sequence[Case]


def gallery(results: Results) -> Gallery:
    """Cases with pictures from the worst Dice to the best, as far as their budget reaches.

    Raises SegError where `evaluate` left no folder of pictures.
    """
    folder, ranked = _existing(PICTURES), _ranked(results)
    folders = {key: folder / case_name(key) for key in ranked}
    drawn = [key for key in ranked if all((folders[key] / f"{kind}.webp").is_file() for kind in KINDS)]
    if not drawn:
        return Gallery([], [])
    middle = min(drawn, key=lambda key: abs(ranked.index(key) - (len(ranked) - 1) / 2))
    first = list(dict.fromkeys((drawn[0], middle, drawn[-1])))
    drawn = _affordable(drawn, first, folders)
    labels = {key: _label(ranked.index(key), len(ranked), middle=key == middle) for key in drawn}
    cases = {key: _case(key, labels[key], folders[key], results) for key in drawn}
    return Gallery([cases[key] for key in first], [case for key, case in cases.items() if key not in first])


def _affordable(drawn: Sequence[str], first: Sequence[str], folders: Mapping[str, Path]) -> list[str]:
    sizes = {key: sum((folders[key] / f"{kind}.webp").stat().st_size for kind in KINDS) for key in drawn}
    left = PICTURE_BUDGET - sum(sizes[key] for key in first)
    kept = set(first)
    for key in drawn:
        left -= sizes[key] if key not in kept else 0
        if left >= 0:
            kept.add(key)
    return [key for key in drawn if key in kept]


def thumbnails(results: Results, table: int) -> dict[str, str]:
    """Id → data URI of the picture of a case's errors, as far as their budget reaches beside a table of so many bytes.

    Raises SegError where `evaluate` left no folder of thumbnails.
    """
    found, left = {}, THUMBNAIL_BUDGET - max(0, table - TABLE_BUDGET) * 3 // 4
    folder = _existing(THUMBNAILS)
    for key in _by_dice(results):
        file = folder / f"{case_name(key)}.webp"
        if not file.is_file():
            continue
        left -= file.stat().st_size
        if left < 0:
            break
        found[key] = data_uri(file)
    return found


def data_uri(file: Path) -> str:
    """A WebP picture as an address that holds it."""
    return f"data:image/webp;base64,{base64.b64encode(file.read_bytes()).decode()}"


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise SegError(f"{folder} is missing: run `dvc repro evaluate`")
    return folder


def _by_dice(results: Results) -> list[str]:
    dice = results.cases.mean_of_cases("dice")
    return [results.cases.ids[row] for row in np.argsort(dice, kind="stable")]


def _ranked(results: Results) -> list[str]:
    """Ids with a Dice from the worst to the best; all ids where none has one."""
    known = int((~np.isnan(results.cases.mean_of_cases("dice"))).sum())
    return _by_dice(results)[: known or None]


def _case(key: str, label: str, folder: Path, results: Results) -> Case:
    pictures = {kind: data_uri(folder / f"{kind}.webp") for kind in KINDS}
    return Case(key, f"case-{case_name(key)}", label, list(_facts(key, results)), pictures)


def _facts(key: str, results: Results) -> Iterator[tuple[str, str]]:
    cases, row = results.cases, results.cases.ids.index(key)
    for name, label in SHOWN.items():
        value = cases.mean_of_cases(name)[row]
        if not math.isnan(value):
            yield label, measured(name, value, results.distance)
    for name, dice in zip(cases.classes, cases.columns["dice"][row], strict=True):
        if 1 < len(cases.classes) <= SERIES:
            yield f"Dice {name}", decimal(dice)
    yield "Truth", f"{count(np.nansum(cases.columns['truth'][row]))} {results.pixels}"
    yield "Prediction", f"{count(np.nansum(cases.columns['guess'][row]))} {results.pixels}"


def _label(rank: int, number: int, *, middle: bool) -> str:
    place = f"Case {rank + 1} of {number}"
    if number < 3:
        return place
    names = {(number - 1) // 2: "Median case", number // 2: "Median case", 0: "Worst case", number - 1: "Best case"}
    return names.get(rank) or (f"{place}, near the median" if middle else place)
