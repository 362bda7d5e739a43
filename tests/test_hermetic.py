"""What `dvc.yaml` declares is what the stages use: no dependency too few, none too many."""

import json
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from seglib import datasets, losses, models, plugins, schedulers
from tests.project import REPOSITORY, STAGES, Project

ONLY_ORDERED = {"data/config.txt", "data/published", "data/raw"}
"""Waited for, or read only where the data set is a published one."""
NO_OUTPUT_DEPENDS_ON = {
    "preprocess": [f"preprocess.{name}" for name in ("store_limit_gb", "backend", "scheduler")],
    "train": ["train.workers"],
}
"""Read, but declared by no stage, so that another value reruns nothing."""
KINDS = (datasets, losses, models, schedulers)


def read(file: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(file)


def dump(content: dict[str, Any]) -> str:
    text = StringIO()
    YAML().dump(content, text)
    return text.getvalue()


def fill_in(template: str, params: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        section, key = match[1].split(".")
        return str(params[section][key])

    return re.sub(r"\$\{([^}]+)\}", value, template)


def pick(params: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """The mapping that holds only the dotted keys."""
    picked: dict[str, Any] = {}
    for key in keys:
        *parents, last = key.split(".")
        source, target = params, picked
        for parent in parents:
            source, target = source[parent], target.setdefault(parent, {})
        target[last] = source[last]
    return picked


def lay_out(project: Project, stage: str, folder: Path) -> list[str]:
    """Copy what the stage declares, and nothing else; returns the files in the folder it declares."""
    params = read(project.root / "params.yaml")
    declared = read(project.root / "dvc.yaml")["stages"][stage]
    deps = [fill_in(dep, params) for dep in declared["deps"]]
    entries = declared.get("params", [])
    keys = [fill_in(entry, params) for entry in entries if isinstance(entry, str)]
    keys += NO_OUTPUT_DEPENDS_ON.get(stage, [])
    versions = [name for entry in entries if isinstance(entry, dict) for name in entry["versions.yaml"]]
    folder.mkdir()
    shutil.copy(project.root / "dvc.yaml", folder)
    for dep in (dep for dep in deps if not Path(dep).is_absolute()):
        (folder / dep).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (project.root / dep).is_dir() else shutil.copy
        copy(project.root / dep, folder / dep)
    if keys:
        (folder / "params.yaml").write_text(dump(pick(params, keys)))
    if versions:
        (folder / "versions.yaml").write_text(dump(pick(read(project.root / "versions.yaml"), versions)))
    return [dep for dep in deps if not Path(dep).is_absolute()]


def trial(stage: str, folder: Path, changes: dict[str, tuple[str, str | None]]) -> list[str]:
    """The changes, each a file and its other content or None for its absence, that the stage survives."""
    command = [sys.executable, str(REPOSITORY / "tests/hermetic_driver.py"), stage]
    done = subprocess.run(command, cwd=folder, input=json.dumps(changes), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def needed_by_other_plugins(folder: Path, name: str) -> bool:
    """Whether some plug-in of the repository cannot be imported without the file."""
    command = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    for package in KINDS:
        kind = Path(*package.__name__.split("."))
        if (folder / kind).is_dir():
            shutil.copytree(REPOSITORY / kind, folder / kind, dirs_exist_ok=True)
    every = [f"{package.__name__}.{plugin}" for package in KINDS for plugin in plugins.names(package)]
    loaded = [plugin for plugin in every if (folder / Path(*plugin.split("."))).with_suffix(".py").exists()]
    (folder / name).unlink()
    done = subprocess.run([sys.executable, "-c", command, *loaded], cwd=folder, capture_output=True, check=False)
    return done.returncode != 0


@pytest.mark.parametrize("stage", STAGES)
def test_stage_needs_all_that_it_declares_and_nothing_else(finished: Project, tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "alone"
    declared = lay_out(finished, stage, folder)
    spare = trial(stage, folder, {name: (name, None) for name in declared if name not in ONLY_ORDERED})
    for name in spare:
        copy = tmp_path / Path(name).stem
        assert needed_by_other_plugins(shutil.copytree(folder, copy), name), name


@pytest.mark.parametrize("stage", STAGES[1:])
def test_stage_needs_every_parameter_it_declares(finished: Project, tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "alone"
    lay_out(finished, stage, folder)
    changes: dict[str, tuple[str, str | None]] = {}
    for file in (name for name in ("params.yaml", "versions.yaml") if (folder / name).exists()):
        content = read(folder / file)
        nested = [(section, key) for section, values in content.items() if isinstance(values, dict) for key in values]
        for section, key in nested:
            less = {**content, section: {other: value for other, value in content[section].items() if other != key}}
            changes[f"{section}.{key}"] = (file, dump(less))
        for name in content.keys() - {section for section, _ in nested}:
            changes[name] = (file, dump({other: value for other, value in content.items() if other != name}))
    assert trial(stage, folder, changes) == []
