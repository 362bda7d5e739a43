"""The table of classes and the confusion matrix."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seglib.report.numbers import measured, percent
from seglib.report.results import ClassFigures, Results
from seglib.statistics import Interval

SHOWN = {"dice": "Dice", "nsd": "NSD", "hd95": "HD95", "precision": "Precision", "recall": "Recall"}
"""Measures that the table shows."""
SHADES = 10
"""Steps of colour in the confusion matrix."""


@dataclass(frozen=True)
class Cell:
    """A figure and its interval."""

    value: str
    interval: str


@dataclass(frozen=True)
class ClassRow:
    """A foreground class."""

    name: str
    colour: str
    cases: int
    empty: int
    missed: int
    frequency: Cell
    figures: Sequence[Cell]
    quantiles: Sequence[float]
    """5, 25, 50, 75 and 95 % of the cases' Dice; empty where no case has one."""


@dataclass(frozen=True)
class Share:
    """A cell of the confusion matrix: a share of the truth's pixels in words, and as one of the shades."""

    text: str
    interval: str
    shade: int
    right: bool


@dataclass(frozen=True)
class Confusion:
    """What each class of the truth was taken for."""

    classes: Sequence[str]
    rows: Sequence[Sequence[Share]]
    summary: str


def colours(results: Results) -> dict[str, str]:
    """The colour of each class in the pictures."""
    return {entry["name"]: "#" + "".join(f"{part:02x}" for part in entry["colour"]) for entry in _entries(results)}


def class_rows(results: Results) -> list[ClassRow]:
    """A row for each foreground class."""
    shown = colours(results)
    return [
        ClassRow(
            found.name,
            shown[found.name],
            found.n,
            found.n_empty,
            found.n_missed,
            _frequency(found),
            [_cell(found, name, results.distance) for name in SHOWN],
            _quantiles(results.cases.columns["dice"][:, results.cases.classes.index(found.name)]),
        )
        for found in results.classes
    ]


def confusion(results: Results) -> Confusion | None:
    """The confusion matrix; None where classes overlap or nothing was counted."""
    if not results.confusion:
        return None
    names = list(dict.fromkeys(truth for truth, _ in results.confusion))
    shares = {pair: share for pair, share in results.confusion.items() if not math.isnan(share.value)}
    rows = [[_share(shares.get((truth, guess)), truth == guess) for guess in names] for truth in names]
    mistakes = {pair: share.value for pair, share in shares.items() if pair[0] != pair[1] and share.value > 0}
    if not mistakes:
        return Confusion(names, rows, "Nothing was taken for anything else.")
    truth, guess = max(mistakes, key=lambda pair: mistakes[pair])
    summary = f"The largest mistake: {percent(mistakes[truth, guess])} of {truth} is taken for {guess}."
    return Confusion(names, rows, summary)


def _entries(results: Results) -> Sequence[dict]:
    return results.dataset["classes"]


def _share(share: Interval | None, right: bool) -> Share:  # noqa: FBT001
    if share is None:
        return Share("–", "", 0, right)
    return Share(percent(share.value), _between(share.low, share.high), round(share.value * SHADES), right)


def _frequency(found: ClassFigures) -> Cell:
    low, high = (found.figures.get(f"frequency_{end}") for end in ("low", "high"))
    return Cell(percent(found.frequency), _between(low, high))


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{percent(low).removesuffix(' %')} to {percent(high)}"


def _cell(found: ClassFigures, name: str, distance: str) -> Cell:
    value, low, high = (found.figures.get(f"{name}{end}", math.nan) for end in ("", "_low", "_high"))
    if math.isnan(value):
        return Cell("–", "")
    bounds = [measured(name, bound, "").strip() for bound in (low, high)]
    return Cell(measured(name, value, distance), f"{bounds[0]} to {bounds[1]}" if not math.isnan(low + high) else "")


def _quantiles(dice: np.ndarray) -> list[float]:
    known = dice[~np.isnan(dice)]
    return [round(float(q), 3) for q in np.quantile(known, (0.05, 0.25, 0.5, 0.75, 0.95))] if known.size else []
