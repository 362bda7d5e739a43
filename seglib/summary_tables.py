"""A summary of experiments for people, for Markdown and for machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from seglib.effects import Effect
from seglib.summary import Group, Summary

Row = Sequence[str]

FIGURES = ("n", "mean", "sd", "least", "greatest", "range")
"""Columns of numbers, which Markdown sets to the right."""
EFFECTS_TITLE = "which setting moved it: the mean of the groups that have each value, greatest first"
EFFECTS_HEADER = ("range", "setting", "mean by value (groups)")
HEADER = ("n", "mean", "sd", "least", "greatest", "95 % interval of the mean", "varied", "parameters")
LONGEST = 40
"""Letters of a parameter's value that a table shows."""


def as_text(summary: Summary) -> str:
    """Columns, then which setting moved the metric, what was left out and what must be known."""
    groups = [_columns(_group_rows(summary))] if summary.groups else []
    effects = ["", EFFECTS_TITLE, _columns(_effect_rows(summary)), ""] if summary.effects else []
    return "\n".join([_title(summary), *groups, *effects, *_remarks(summary)]).rstrip()


def as_markdown(summary: Summary) -> str:
    """The same as Markdown tables and a list."""
    groups = [_markdown_table(_group_rows(summary))] if summary.groups else []
    effects = [f"{EFFECTS_TITLE}:", _markdown_table(_effect_rows(summary))] if summary.effects else []
    remarks = "\n".join(f"- {remark}" for remark in _remarks(summary))
    return "\n\n".join(part for part in (_title(summary), *groups, *effects, remarks) if part)


def as_json(summary: Summary) -> str:
    """The same as strict JSON; what does not exist is null."""
    content = {
        "metric": summary.metric,
        "groups": [_entry(group) for group in summary.groups],
        "effects": [asdict(effect) | {"range": effect.range} for effect in summary.effects],
        "left_out": [{"name": run.name, "parameters": run.differing, "reason": run.reason} for run in summary.left_out],
        "notes": summary.notes,
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def _entry(group: Group) -> dict[str, Any]:
    runs = [{"name": run.name, "value": value, "varied": run.varied} for run, value in group.runs]
    figures = asdict(group.statistics)
    return {"parameters": group.differing, **figures, "incomplete": group.incomplete(), "runs": runs}


def _title(summary: Summary) -> str:
    counted = sum(len(group.runs) for group in summary.groups)
    return f"{summary.metric}: {_number(counted, 'experiment')} in {_number(len(summary.groups), 'group')}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _group_rows(summary: Summary) -> list[Row]:
    return [HEADER, *map(_cells, summary.groups)]


def _effect_rows(summary: Summary) -> list[Row]:
    effects = [(f"{effect.range:.4f}", effect.setting, _by_value(effect)) for effect in summary.effects]
    return [EFFECTS_HEADER, *effects]


def _columns(table: Sequence[Row]) -> str:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table)
    return "\n".join(lines)


def _markdown_table(table: Sequence[Row]) -> str:
    header, *rows = table
    rule = ["---:" if name in FIGURES else "---" for name in header]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (header, rule, *rows)
    )


def _by_value(effect: Effect) -> str:
    return ", ".join(f"{_shortened(level.value)}: {level.mean:.4f} ({level.groups})" for level in effect.levels)


def _cells(group: Group) -> tuple[str, ...]:
    found = group.statistics
    interval = f"{found.interval[0]:.4f} to {found.interval[1]:.4f}" if found.interval else "none of one run"
    return (
        str(found.n),
        f"{found.mean:.4f}",
        "–" if found.sd is None else f"{found.sd:.4f}",
        f"{found.least:.4f}",
        f"{found.greatest:.4f}",
        interval,
        ", ".join(f"{len(values)} {key}" for key, values in group.varied.items()) or "–",
        _listed(group.differing),
    )


def _listed(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_shortened(value)}" for key, value in parameters.items()) or "–"


def _shortened(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _remarks(summary: Summary) -> Sequence[str]:
    incomplete = [
        f"incomplete: {_listed(group.differing)}: {gap}" for group in summary.groups for gap in group.incomplete()
    ]
    left_out = [f"left out: {run.name} ({_listed(run.differing)}): {run.reason}" for run in summary.left_out]
    return [*left_out, *incomplete, *(f"note: {note}" for note in summary.notes)]
