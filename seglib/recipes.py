"""Recipes: the parameters that do well on a data set, written into `params.yaml`.

The text of `params.yaml` is edited, not dumped anew: what a recipe does not name keeps every byte.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from seglib.config import read_yaml
from seglib.errors import SegError, nearest
from seglib.paths import PARAMS

FOLDER = Path("recipes")


class Change(NamedTuple):
    """A parameter whose value becomes another."""

    keys: tuple[str, ...]
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{'.'.join(self.keys)}: {self.old} → {self.new}"


class Place(NamedTuple):
    """Where a value and its comment stand in the text."""

    after_key: int
    end: int
    comment: str
    column: int


def apply_recipe(name: str) -> list[str]:
    """Write a recipe's parameters into `params.yaml`, comments kept; returns a line a change.

    Raises SegError for an unknown recipe, and for a parameter that `params.yaml` does not have.
    """
    known = [file.stem for file in FOLDER.glob("*.yaml")]
    if name not in known:
        raise SegError(f"no recipe '{name}'; {nearest(name, known)}")
    changes = list(_changes(read_yaml(PARAMS), read_yaml(FOLDER / f"{name}.yaml")))
    text = PARAMS.read_text()
    for change in changes:
        text = _replace(text, change.keys, change.new)
    if changes:
        PARAMS.write_text(text)
    return [str(change) for change in changes]


def _changes(params: Any, recipe: Mapping[str, Any], keys: tuple[str, ...] = ()) -> Iterator[Change]:
    for key, value in recipe.items():
        place = (*keys, key)
        if not isinstance(params, dict) or key not in params:
            suggestion = nearest(key, params) if isinstance(params, dict) else "it is no section"
            raise SegError(f"{'.'.join(place)}: not in {PARAMS}; {suggestion}")
        if isinstance(value, dict):
            yield from _changes(params[key], value, place)
        elif isinstance(params[key], dict):
            raise SegError(f"{'.'.join(place)}: a section in {PARAMS}, found {value!r} in the recipe")
        elif params[key] != value:
            yield Change(place, params[key], value)


def _replace(text: str, keys: Sequence[str], value: Any) -> str:
    """Set a value on its key's line; its comment goes to its neighbours' column, or behind the value."""
    node: Any = YAML(typ="safe", pure=True).compose(text)
    places: dict[str, Place] = {}
    for key in keys:
        places = {k.value: _place(text, k, v) for k, v in node.value}
        node = next(v for k, v in node.value if k.value == key)
    place = places[keys[-1]]
    line = f"{text[: place.after_key]}: {_flow(value)}"
    if place.comment:
        column = min(other.column for other in places.values() if other.comment)
        line += " " * max(1, column - len(line) + line.rfind("\n") + 1) + place.comment
    return line + text[place.end :]


def _place(text: str, key: Node, value: Node) -> Place:
    start = key.end_mark.index
    written = not isinstance(value, ScalarNode) or value.value or value.style
    end = _end(value) if written else start + 1
    between = re.compile(r":[ \t]*(#.*)").match(text, start)
    found = between or re.compile(r"[ \t]*(#.*)").match(text, end)
    if not found:
        return Place(start, end, "", 0)
    column = found.start(1) - text.rfind("\n", 0, found.start(1)) - 1
    return Place(start, max(end, found.end()), found[1], column)


def _end(node: Node) -> int:
    """Where a value ends; a block list or mapping ends with its last item."""
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return node.end_mark.index
    return _end(node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1])


def _flow(value: Any) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width = True, 10_000
    text = StringIO()
    yaml.dump([value], text)
    return text.getvalue().strip()[1:-1]
