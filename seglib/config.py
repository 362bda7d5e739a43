"""Typed reading of `params.yaml`: every key known, every mistake told at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from seglib.errors import SegError, nearest
from seglib.paths import PARAMS

FORBIDDEN_KEYS = ("size", "nfiles")
LONGEST_VALUE = 100
"""Characters of a wrong value that a message repeats."""


class Section(BaseModel):
    """Base of every section of `params.yaml`: no defaults, no unknown keys, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    plugin_values: ClassVar[type | tuple[type, ...]] = ()
    """Unknown keys with values of this type belong to plug-ins, which check them."""


AnySection = TypeVar("AnySection", bound=Section)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 mapping with the parser that DVC hashes with.

    Raises SegError where the file is missing, malformed or no mapping.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except FileNotFoundError:
        raise SegError(f"{path} is missing: run from the project's root") from None
    except MarkedYAMLError as error:
        raise SegError(f"{path} is not valid YAML: {error.problem}\n{error.problem_mark}") from None
    except (YAMLError, ValueError) as error:
        raise SegError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise SegError(f"{path} must hold `key: value` lines, found {type(content).__name__}")
    return content


def read_params() -> dict[str, Any]:
    """Read `params.yaml` of the current folder, unchecked."""
    return read_yaml(PARAMS)


def parse(model: type[AnySection], values: object, place: str) -> AnySection:
    """Turn the values found at `place` into a typed section.

    Raises SegError that lists every problem, one a line.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SegError("\n".join(problems(error, model, place))) from None


def problems(error: ValidationError, model: type[Section], place: str) -> list[str]:
    """Describe each problem of a section as `place.key: what is wrong (found ...)`."""
    return [_describe(item, model, place) for item in error.errors()]


def _describe(item: Mapping[str, Any], model: type[Section], place: str) -> str:
    where = ".".join([place, *(str(part) for part in item["loc"])])
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown parameter; {nearest(str(item['loc'][-1]), model.model_fields)}"
    if item["type"] == "missing":
        return f"{where}: missing; add it to {PARAMS}"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "model_type":
        message = "must hold `key: value` lines"
    elif item["type"] == "value_error" and isinstance(item["input"], dict):
        return f"{where}: {message}"
    found = repr(item["input"])
    return f"{where}: {message} (found {found if len(found) <= LONGEST_VALUE else found[:LONGEST_VALUE] + '…'})"


def section(params: Mapping[str, Any], name: str, model: type[AnySection]) -> AnySection:
    """Parse the top-level section `name`; sub-mappings of plug-ins are left to `plugins`."""
    return parse(model, own_values(params, name, model), name)


def own_values(params: Mapping[str, Any], name: str, model: type[Section]) -> object:
    """The section's values without those of plug-ins."""
    values = params.get(name, {})
    if not isinstance(values, dict):
        return values
    return {
        key: value
        for key, value in values.items()
        if key in model.model_fields or not isinstance(value, model.plugin_values)
    }


def forbidden_keys(values: object, place: str = "") -> list[str]:
    """Places of keys that DVC's run cache ignores (iterative/dvc#10296), at any depth."""
    if isinstance(values, list):
        return [hit for i, item in enumerate(values) for hit in forbidden_keys(item, f"{place}[{i}]")]
    if not isinstance(values, dict):
        return []
    hits = []
    for key, value in values.items():
        where = f"{place}.{key}" if place else str(key)
        if key in FORBIDDEN_KEYS:
            hits.append(where)
        hits += forbidden_keys(value, where)
    return hits
