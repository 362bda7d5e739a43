"""A comparison for a terminal."""

from collections.abc import Iterator

from seglib.compare.cells import (
    CASE_HEADER,
    MOST,
    aligned,
    by_kind,
    case_cells,
    extent,
    figure_header,
    figure_rows,
    shown,
    values,
    verdict,
)
from seglib.compare.comparing import Compared
from seglib.compare.comparison import CaseChange


def as_text(compared: Compared) -> str:
    """The verdict, the figures, the cases that changed most, and what the sides differ in."""
    comparison = compared.comparison
    figures = [figure_header(comparison), *figure_rows(comparison)]
    parts = [
        [verdict(comparison), f"It speaks of {comparison.subject}."],
        [extent(comparison), *aligned(figures)],
        _cases("most improved", compared.improved),
        _cases("most worsened", compared.worsened),
        *_recipe(compared),
        [f"note: {note}" for note in compared.notes],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _cases(title: str, cases: tuple[CaseChange, ...]) -> list[str]:
    return [f"{title}:", *aligned([CASE_HEADER, *map(case_cells, cases)])] if cases else []


def _recipe(compared: Compared) -> Iterator[list[str]]:
    if not compared.recipe:
        yield ["Neither parameters, versions, code nor data differ."]
    for kind, changes in by_kind(compared).items():
        lines = [f"  {shown(change.name)}: {values(change.base)} → {values(change.head)}" for change in changes[:MOST]]
        rest = [f"  and {len(changes) - MOST} more"] if len(changes) > MOST else []
        yield [f"{kind} changed:", *lines, *rest]
