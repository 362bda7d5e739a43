"""The words and numbers that all forms of a comparison share."""

from collections.abc import Iterable, Sequence
from typing import Any

from seglib.compare.comparing import Compared
from seglib.compare.comparison import CaseChange, Change, Comparison
from seglib.compare.sides import RecipeChange
from seglib.statistics import Interval

LONGEST = 60
"""Letters of an id or a value that a table shows."""
MOST = 40
"""Changes of one kind that are listed."""
NONE = "–"


def verdict(comparison: Comparison) -> str:
    """The first line: the verdict with its reason."""
    return f"{comparison.verdict}: {comparison.reason}"


def extent(comparison: Comparison) -> str:
    """What was compared, on how many cases."""
    cases = f"{_number(comparison.n, 'case')} in {_number(comparison.n_groups, 'group')}"
    return f"{comparison.base} → {comparison.head}: {cases}"


def figure_header(comparison: Comparison) -> tuple[str, ...]:
    """Of the table of figures."""
    interval = f"{100 * comparison.rule.confidence:g} % interval"
    return ("figure", "base", "head", "difference", interval, "p", "better", "worse", "head is")


def figure_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """A row a figure."""
    return [_figure_cells(change, comparison.rule.metric) for change in comparison.changes]


CASE_HEADER = ("case", "group", "base", "head", "gain")


def case_cells(case: CaseChange) -> tuple[str, str, str, str, str]:
    """One case's row."""
    base, head = (NONE if value is None else f"{value:.4f}" for value in (case.base, case.head))
    return (shown(case.id), shown(case.group), base, head, f"{case.gain:+.4f}")


def by_kind(compared: Compared) -> dict[str, list[RecipeChange]]:
    """What the sides differ in, the kinds in order."""
    kinds = dict.fromkeys(change.kind for change in compared.recipe)
    return {kind.value: [change for change in compared.recipe if change.kind is kind] for kind in kinds}


def reading(comparison: Comparison) -> tuple[str, ...]:
    """How to read the figures and the verdict."""
    rule = comparison.rule
    several = comparison.runs != (1, 1)
    spread = "of the groups of the test side, and of the runs" if several else "of the groups of the test side"
    exchanged = "deals the runs to the sides" if several else "exchanges base and head in groups"
    return (
        f"A difference is head minus base. Its {100 * rule.confidence:g} % interval says how far it may lie on other "
        f"cases like these, from the spread {spread} (jackknife, Student's t).",
        f"p is that of a test of no difference, which {exchanged} at random. Of many figures some have a small p by "
        "chance.",
        "Better and worse are shares of the cases, of those that have a value on either side. No value (–) beside one "
        "counts as perfect: there was nothing to find, and nothing was found. In shares of what is predicted such a "
        "case does not count.",
        f"{rule.metric} alone decides. Its drop is its worsening from base to head. Fail: the whole interval of the "
        f"drop lies above {rule.max_drop:g}, which compare.max_drop accepts. Pass: no part of it does. Warn: these "
        "cases cannot tell, more of them would. Without an interval a drop above it fails.",
        "Distances are in mm where the spacing of every test case is known, else in pixels.",
    )


def values(found: Sequence[Any]) -> str:
    """Those of one side's runs."""
    return shown(", ".join(map(str, found))) if found else NONE


def shown(text: str) -> str:
    """On one line, without control characters, at most `LONGEST` letters."""
    clean = "".join(letter if letter.isprintable() else "�" for letter in text)
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST - 1]}…"


def aligned(lines: Iterable[Sequence[str]]) -> list[str]:
    """Columns for a terminal; the first stands to the left, numbers to the right."""
    lines = list(lines)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines]


def _figure_cells(change: Change, metric: str) -> tuple[str, ...]:
    digits = 2 if change.measure.unit == "distance" else 4
    return (
        change.measure.label + (" (decides)" if change.measure.name == metric else ""),
        f"{change.base:.{digits}f}",
        f"{change.head:.{digits}f}",
        f"{change.difference.value:+.{digits}f}",
        _interval(change.difference, digits),
        "< 0.001" if change.p < 0.001 else f"{change.p:.3f}",
        _share(change.better),
        _share(change.worse),
        _direction(change),
    )


def _direction(change: Change) -> str:
    """Which way head went, where the interval leaves out 0."""
    low, high = change.difference.low, change.difference.high
    if low is None or high is None or low <= 0 <= high:
        return NONE
    gain = abs(change.base) - abs(change.head) if change.measure.better == 0 else change.difference.value
    return "better" if gain * (change.measure.better or 1) > 0 else "worse"


def _interval(found: Interval, digits: int) -> str:
    if found.low is None or found.high is None:
        return NONE
    return f"{found.low:+.{digits}f} to {found.high:+.{digits}f}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.0%}".replace("%", " %")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
