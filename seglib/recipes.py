"""Recipes: the parameters that do well on a data set, written into `params.yaml`."""

from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

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
    yaml = YAML()
    yaml.width = 200
    yaml.preserve_quotes = True
    params = yaml.load(PARAMS)
    changes = list(_merge(params, read_yaml(FOLDER / f"{name}.yaml"), ""))
    text = StringIO()
    yaml.dump(params, text)
    if changes:
        PARAMS.write_text(text.getvalue())
    return changes


def _merge(params: Any, recipe: Mapping[str, Any], place: str) -> Iterator[str]:
    for key, value in recipe.items():
        where = f"{place}.{key}" if place else key
        if key not in params:
            raise SegError(f"{where}: not in {PARAMS}; {nearest(key, params)}")
        if isinstance(value, dict):
            yield from _merge(params[key], value, where)
        elif params[key] != value:
            yield f"{where}: {_plain(params[key])} → {value}"
            params[key] = value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value
