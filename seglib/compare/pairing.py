"""Two sides of a comparison, brought to the same cases in the same order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seglib.case_table import CaseTable
from seglib.errors import SegError, listing

FEWEST_RUNS = 3
"""A side, for a verdict on a change rather than on two models."""


@dataclass(frozen=True)
class Side:
    """Runs of one recipe, each with its own seed, measured on the same cases."""

    name: str
    tables: tuple[CaseTable, ...]


def matched(base: Side, head: Side) -> tuple[list[CaseTable], list[CaseTable]]:
    """The tables of both sides with the cases and classes in the order of base's first run.

    Raises SegError for sides that differ in their cases, groups or classes, and for numbers of runs that allow no
    verdict.
    """
    _check_runs(base, head)
    like = base.tables[0]
    base_tables, head_tables = (
        [_like(table, like, side.name, base.name) for table in side.tables] for side in (base, head)
    )
    for side, tables in ((base, base_tables), (head, head_tables)):
        _check_seeds(side.name, tables)
    return base_tables, head_tables


def _check_runs(base: Side, head: Side) -> None:
    runs = len(base.tables), len(head.tables)
    if runs != (1, 1) and min(runs) < FEWEST_RUNS:
        raise SegError(
            f"{runs[0]} runs of {base.name} and {runs[1]} of {head.name} are too few for a verdict on the change; "
            f"compare one run with one (these two models), or at least {FEWEST_RUNS} runs of different seeds a side"
        )


def _check_seeds(name: str, tables: Sequence[CaseTable]) -> None:
    """A run that is counted twice would hide how much seeds matter."""
    for i, table in enumerate(tables):
        for other in tables[:i]:
            if all(np.array_equal(other.columns[key], table.columns[key], equal_nan=True) for key in table.columns):
                raise SegError(f"two runs of {name} have the same figures in every case; name runs of different seeds")


def _like(table: CaseTable, like: CaseTable, name: str, like_name: str) -> CaseTable:
    """The table in the order of `like`."""
    if set(table.ids) != set(like.ids):
        _refuse_cases(table, like, name, like_name)
    if set(table.classes) != set(like.classes):
        raise SegError(
            f"different classes: {name} has {listing(table.classes)}; {like_name} has {listing(like.classes)}; "
            "compare results of the same data set"
        )
    row_of, column_of = ({key: i for i, key in enumerate(keys)} for keys in (table.ids, table.classes))
    rows, columns = [row_of[key] for key in like.ids], [column_of[key] for key in like.classes]
    groups = tuple(table.groups[row] for row in rows)
    if moved := [key for key, own, other in zip(like.ids, groups, like.groups, strict=True) if own != other]:
        raise SegError(
            f"{len(moved)} cases belong to other groups in {name} than in {like_name}: {listing(moved)}; "
            "evaluate both sides on the same split"
        )
    values = {key: values[np.ix_(rows, columns)] for key, values in table.columns.items()}
    return CaseTable(like.ids, groups, like.classes, values)


def _refuse_cases(table: CaseTable, like: CaseTable, name: str, like_name: str) -> None:
    own, other = dict.fromkeys(table.ids), dict.fromkeys(like.ids)
    parts = [(name, [key for key in own if key not in other]), (like_name, [key for key in other if key not in own])]
    only = "; ".join(f"only in {side} {len(keys)}: {listing(keys)}" for side, keys in parts if keys)
    raise SegError(f"different test sets: {only}; evaluate both sides on the same split of the same data")
