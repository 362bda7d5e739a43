"""The two sides of a comparison: each is one run, or several seeds of one recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any

import numpy as np

from seglib.compare.pairing import Side
from seglib.compare.revisions import Revision, read_revision
from seglib.errors import SegError, listing
from seglib.paths import VERSIONS
from seglib.public import public

MEASURED_BY = {"tolerance": ("nsd",), "distances_in_mm": ("nsd", "hd95", "assd")}
"""What metrics.json says of how figures were measured → these figures."""


class Kind(StrEnum):
    """Of what two recipes can differ in."""

    PARAMETER = "parameter"
    VERSION = "version"
    CODE = "code"
    DATA = "data"


@dataclass(frozen=True)
class RecipeChange:
    """One thing that the runs of the two sides started from differently."""

    kind: Kind
    name: str
    base: tuple[Any, ...]
    """The values of the side's runs, each once; of files the heads of their digests. Empty: not there."""
    head: tuple[Any, ...]


def read_side(asked: str) -> tuple[Revision, ...]:
    """Read the runs of one side, named with commas between them; raises SegError unless they are of one recipe."""
    names = asked.split(",")
    if "" in names:
        raise SegError(f"'{asked}' lacks a name; name one run, or several as a1,a2,a3")
    runs = tuple(map(read_revision, names))
    check_seeds(runs)
    return runs


def check_seeds(runs: Sequence[Revision]) -> None:
    """Raise SegError for runs that differ in more than their seeds, or not in them."""
    for one, other in combinations((each.run for each in runs), 2):
        if different := _differing(one.settings, other.settings):
            raise SegError(f"{one.name} and {other.name} differ in more than their seeds: {listing(different)}")
        if one.varied == other.varied:
            seeds = ", ".join(f"{key} {value}" for key, value in one.varied.items())
            raise SegError(f"{one.name} and {other.name} are one run, not two seeds: {seeds}")


def as_side(runs: Sequence[Revision]) -> Side:
    """Their cases under one name."""
    return Side(", ".join(each.run.name for each in runs), tuple(each.cases for each in runs))


def check_conventions(runs: Sequence[Revision], metric: str) -> None:
    """Raise SegError unless all figures, or at least that of `metric`, were measured alike."""
    versions = {each.run.name: each.run.metrics["conventions"] for each in runs}
    if len(set(versions.values())) > 1:
        found = ", ".join(f"{version} at {name}" for name, version in versions.items())
        raise SegError(f"the figures follow different conventions: version {found}; evaluate all by the same code")
    if different := [key for key, concerned in MEASURED_BY.items() if metric in concerned and _differs(runs, key)]:
        raise SegError(f"{listing(different)} differs between the sides, so {metric} cannot decide; make them agree")


def check_truth(runs: Sequence[Revision]) -> None:
    """Raise SegError where a case's masks differ in their pixels; all runs have the same cases and classes."""
    first, *others = runs
    for other in others:
        theirs = _truth(other)
        if changed := [key for key, pixels in _truth(first).items() if not np.array_equal(pixels, theirs[key])]:
            raise SegError(
                f"different test sets: the truth of {len(changed)} cases has other pixels in {other.run.name} than in "
                f"{first.run.name}: {listing(changed)}; evaluate both sides on the same data"
            )


def _truth(run: Revision) -> dict[str, np.ndarray]:
    """Pixels of the true mask of each case, its classes in alphabetical order."""
    pixels = run.cases.columns["truth"][:, np.argsort(run.cases.classes)]
    return dict(zip(run.cases.ids, pixels, strict=True))


def recipe_changes(base: Sequence[Revision], head: Sequence[Revision]) -> list[RecipeChange]:
    """Parameters, library versions, code and data in which the sides differ, as dvc.lock records them.

    Sorted by kind and name; of places only what is public.
    """
    runs = [each.run for each in (*base, *head)]
    inputs = dict.fromkeys(key for run in runs for key in run.inputs)
    keys = dict.fromkeys(key for run in runs for key in run.params)
    changes = [_change(key, _kind(key), base, head) for key in keys]
    changes += [_change(key, Kind.CODE if key.endswith(".py") else Kind.DATA, base, head) for key in inputs]
    different = [_public(change) for change in changes if _typed(change.base) != _typed(change.head)]
    return sorted(different, key=lambda change: (tuple(Kind).index(change.kind), change.name))


def notes(base: Sequence[Revision], head: Sequence[Revision]) -> list[str]:
    """What a reader must know to trust the figures."""
    found = [
        f"{each.run.name} is out of date: {listing(each.outdated)} changed after its figures were computed; "
        "`dvc repro` computes them anew"
        for each in {each.run.name: each for each in (*base, *head)}.values()
        if each.outdated
    ]
    for key, concerned in MEASURED_BY.items():
        if _differs([*base, *head], key):
            found.append(f"{key} differs, so {listing(concerned)} of the two sides cannot be compared")
    return found


def _differs(runs: Sequence[Revision], key: str) -> bool:
    return len({each.run.metrics.get(key) for each in runs}) > 1


def _kind(key: str) -> Kind:
    return Kind.VERSION if key.startswith(f"{VERSIONS}:") else Kind.PARAMETER


def _change(key: str, kind: Kind, base: Sequence[Revision], head: Sequence[Revision]) -> RecipeChange:
    return RecipeChange(kind, key.removeprefix(f"{VERSIONS}:"), _values(key, base), _values(key, head))


def _public(change: RecipeChange) -> RecipeChange:
    return RecipeChange(change.kind, public(change.name), public(change.base), public(change.head))


def _values(key: str, side: Sequence[Revision]) -> tuple[Any, ...]:
    found: list[Any] = []
    for run in (each.run for each in side):
        value = run.inputs.get(key) or run.params.get(key)
        if value is not None and _typed(value) not in map(_typed, found):
            found.append(value)
    return tuple(found)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [public(key) for key in dict.fromkeys((*one, *other)) if _typed(one.get(key)) != _typed(other.get(key))]


def _typed(value: Any) -> Any:
    """For comparing: a value whose truth values are told from 0 and 1, which Python takes for equal."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, Mapping):
        return {key: _typed(each) for key, each in value.items()}
    return list(map(_typed, value)) if isinstance(value, list | tuple) else value
