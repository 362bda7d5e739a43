"""What a run started from, as dvc.lock records it: parameters, versions, code and data."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dvc.dependency import ParamsDependency
from dvc.dependency.base import Dependency
from dvc.repo import Repo
from dvc.stage import Stage

from seglib.paths import PARAMS

DIGITS = 7
"""Letters of a digest that are kept."""


def recorded_params(stages: Iterable[Stage]) -> dict[str, Any]:
    """Parameters under dotted keys, those of other files than `params.yaml` after the file's name."""
    recorded = [(dep, dep.hash_info.value or {}) for stage in stages for dep in stage.params]
    return {f"{_prefix(dep)}{key}": value for dep, values in recorded for key, value in _flat(values)}


def recorded_inputs(stages: Iterable[Stage]) -> dict[str, str]:
    """What no stage makes, code and data, each with the head of its digest."""
    return {dep.def_path: str(dep.hash_info.value)[:DIGITS] for dep in _sources(stages) if dep.hash_info}


def recorded_outputs(stages: Iterable[Stage]) -> dict[str, str]:
    """What the stages make, each with its digest."""
    outs = (out for stage in stages for out in stage.outs)
    return {out.def_path: str(out.hash_info.value) for out in outs if out.hash_info}


def outdated(repo: Repo, stages: Iterable[Stage]) -> list[str]:
    """Parameters and code that are no longer as dvc.lock records them; data is not looked at, for it may be large."""
    params = [key for stage in stages for dep in stage.params for key in _changed(dep)]
    code = [dep.def_path for dep in _sources(stages) if dep.def_path.endswith(".py") and not _is_recorded(repo, dep)]
    return list(dict.fromkeys([*params, *code]))


def digest(content: bytes) -> str:
    """As DVC writes it down for a file."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _sources(stages: Iterable[Stage]) -> Iterator[Dependency]:
    """Dependencies that no stage makes, parameters aside."""
    made = {out.def_path for stage in stages for out in stage.outs} | {str(PARAMS)}
    for stage in stages:
        yield from (dep for dep in stage.deps if dep.def_path not in made and not isinstance(dep, ParamsDependency))


def _prefix(dep: ParamsDependency) -> str:
    return "" if dep.def_path == str(PARAMS) else f"{dep.def_path}:"


def _flat(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Mappings, and lists of them, as dotted keys."""
    if isinstance(content, list) and any(isinstance(item, Mapping) for item in content):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        yield prefix, content
        return
    for key, value in content.items():
        yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))


def _changed(dep: ParamsDependency) -> list[str]:
    """Keys of a parameter file whose values are not the recorded ones."""
    found = (each for each in dep.workspace_status().values() if isinstance(each, Mapping))
    return [f"{_prefix(dep)}{key}" for keys in found for key in keys]


def _is_recorded(repo: Repo, dep: Dependency) -> bool:
    if not repo.fs.isfile(dep.fs_path):
        return False
    with repo.fs.open(dep.fs_path, "rb") as file:
        return bool(dep.hash_info) and digest(file.read()) == dep.hash_info.value
