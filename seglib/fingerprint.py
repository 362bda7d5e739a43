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


def stage_versions(stage: str) -> dict[str, str]:
    """The libraries that `dvc.yaml` lists for a stage, with their recorded versions."""
    for entry in read_yaml(PIPELINE)["stages"][stage].get("params", []):
        if isinstance(entry, dict) and str(VERSIONS) in entry:
            versions = read_yaml(VERSIONS)
            return {name: str(versions[name]) for name in entry[str(VERSIONS)]}
    return {}


def _fill_in(template: str, params: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found: Any = params
        for key in match[1].split("."):
            found = found[key]
        return str(found)

    return re.sub(r"\$\{([^}]+)\}", value, template)
