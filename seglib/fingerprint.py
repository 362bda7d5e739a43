"""What a stage's result depends on besides its data, as `dvc.yaml` declares it, in one digest."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seglib.config import read_yaml
from seglib.paths import PIPELINE, VERSIONS


def stage_digest(stage: str, params: Mapping[str, Any]) -> str:
    """Hash the code and the library versions that `dvc.yaml` lists for a stage."""
    content = {"code": stage_code(stage, params), "versions": stage_versions(stage)}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def stage_code(stage: str, params: Mapping[str, Any]) -> dict[str, str]:
    """The code files that `dvc.yaml` lists for a stage, with their sha256."""
    deps = read_yaml(PIPELINE)["stages"][stage]["deps"]
    code = [_fill_in(dep, params) for dep in deps if dep.endswith(".py")]
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in sorted(code)}


def run_digest(stage: str, params: Mapping[str, Any], *more: object) -> str:
    """Hash all that `dvc.yaml` lists for a stage: code, versions, parameters and input files, and whatever else."""
    declared = read_yaml(PIPELINE)["stages"][stage]
    keys = [_fill_in(entry, params) for entry in declared["params"] if isinstance(entry, str)]
    inputs = [Path(dep) for dep in declared["deps"] if not dep.endswith(".py")]
    files = sorted(file for path in inputs for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())
    content = {
        "stage": stage_digest(stage, params),
        "params": {key: _value(params, key) for key in keys},
        "inputs": {str(file): _digest(file) for file in files},
        "more": more,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def stage_versions(stage: str) -> dict[str, str]:
    """The libraries that `dvc.yaml` lists for a stage, with their recorded versions."""
    for entry in read_yaml(PIPELINE)["stages"][stage].get("params", []):
        if isinstance(entry, dict) and str(VERSIONS) in entry:
            versions = read_yaml(VERSIONS)
            return {name: str(versions[name]) for name in entry[str(VERSIONS)]}
    return {}


def _fill_in(template: str, params: Mapping[str, Any]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda match: str(_value(params, match[1])), template)


def _value(params: Mapping[str, Any], key: str) -> Any:
    found: Any = params
    for part in key.split("."):
        found = found[part]
    return found


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
