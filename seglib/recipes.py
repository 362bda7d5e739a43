"""Recipes: the parameters that do well on a data set, written into `params.yaml`."""

from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from seglib.config import read_yaml
from seglib.errors import SegError, nearest
from seglib.paths import PARAMS

FOLDER = Path("recipes")


def apply_recipe(name: str) -> list[str]:
    """Write a recipe's parameters into `params.yaml`, comments kept; returns a line a change.

    Raises SegError for an unknown recipe, and for a parameter that `params.yaml` does not have.
    """
    known = [file.stem for file in FOLDER.glob("*.yaml")]
    if name not in known:
        raise SegError(f"no recipe '{name}'; {nearest(name, known)}")
    read_yaml(PARAMS)
    yaml = YAML()
    yaml.preserve_quotes = True
    params = yaml.load(PARAMS)
    changes = list(_merge(params, read_yaml(FOLDER / f"{name}.yaml"), ""))
    if changes:
        text = StringIO()
        yaml.dump(params, text)
        PARAMS.write_text(text.getvalue(), encoding="utf-8")
    return changes


def _merge(params: Any, recipe: Mapping[str, Any], place: str) -> Iterator[str]:
    for key, new in recipe.items():
        where = f"{place}.{key}" if place else key
        if key not in params:
            raise SegError(f"{where}: not in {PARAMS}; {nearest(key, params)}")
        old = params[key]
        if isinstance(old, dict) != isinstance(new, dict):
            raise SegError(f"{where}: the recipe has {new!r} where {PARAMS} has {old!r}")
        if isinstance(new, dict):
            yield from _merge(old, new, where)
        elif old != new:
            yield f"{where}: {list(old) if isinstance(old, list) else old} → {new}"
            params[key] = _in_the_style_of(old, new)


def _in_the_style_of(old: Any, new: Any) -> Any:
    """A list stays on one line where it stood on one, and comes to one line where there was none."""
    if not isinstance(new, list):
        return new
    if isinstance(old, list):
        old[:] = new
        return old
    line = CommentedSeq(new)
    line.fa.set_flow_style()
    return line
