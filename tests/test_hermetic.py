"""What `dvc.yaml` declares is what the stages use: no dependency too few, none too many."""

import json
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import grimp
import pytest
from ruamel.yaml import YAML

from seglib import datasets, losses, models, plugins, schedulers
from tests.project import REPOSITORY, STAGES, Project

ONLY_ORDERED = {"data/config.txt", "data/published", "data/raw"}
"""Waited for, or read only where the data set is a published one."""
FOR_VOLUMES = {"seglib/volume_augment.py"}
"""Imported only where the samples are volumes, which `test_volumes` runs."""
ON_REQUEST = {
    "export": {
        "data/cache",
        *(f"seglib/formats/{name}.py" for name in ("openvino", "program", "tensorrt", "torchscript")),
        *(f"seglib/{name}.py" for name in ("openvino_runtime", "quantisation", "sub_pixel", "torch_archive")),
        "seglib/export/timed.py",
    },
    "report": {"reports/prune/metrics.json", "reports/export/metrics.json"},
}
"""Needed by other `export.variants` or `export.rounds`; reports of stages that may be off."""
DELIVERING = {"prune.ratio": 0.5, "prune.epochs": 1, "export.variants": ["onnx"], "export.max_dice_drop": 1.0}
NO_OUTPUT_DEPENDS_ON = {
    "preprocess": [f"preprocess.{name}" for name in ("store_limit_gb", "backend", "scheduler")],
    "train": ["train.workers"],
    "prune": ["train.workers"],
}
"""Read, but declared by no stage, so that another value reruns nothing."""
KINDS = (datasets, losses, models, schedulers)


@pytest.fixture(scope="session")
def delivered(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished project with pruned and exported models."""
    root = tmp_path_factory.mktemp("delivered") / "project"
    project = Project(shutil.copytree(finished.root, root, symlinks=True))
    project.set_params(DELIVERING)
    assert project.repro().ran == ["config", "prune", "export", "report"]
    return project


@pytest.fixture
def project(stage: str, request: pytest.FixtureRequest) -> Project:
    """One in which the stage has something to do."""
    return request.getfixturevalue("delivered" if stage in ("prune", "export", "report") else "finished")


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


def undeclared(project: Project, stage: str, name: str) -> str:
    """The text of `dvc.yaml` without the stage's dependency or parameter `name`.

    Stages read there what their code and parameters are, and would fail for a spare entry, too.
    """
    params, pipeline = read(project.root / "params.yaml"), read(project.root / "dvc.yaml")
    declared = pipeline["stages"][stage]
    for kind in ("deps", "params"):
        entries = declared.get(kind, [])
        declared[kind] = [entry for entry in entries if not isinstance(entry, str) or fill_in(entry, params) != name]
    return dump(pipeline)


def trial(stage: str, folder: Path, changes: dict[str, dict[str, str | None]]) -> list[str]:
    """The changes, each files and their other content or None for absence, that the stage survives."""
    command = [sys.executable, str(REPOSITORY / "tests/hermetic_driver.py"), stage]
    done = subprocess.run(command, cwd=folder, input=json.dumps(changes), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def imported_by_other_plugins(declared: list[str]) -> set[str]:
    """Files that some plug-in imports which the stage could select but does not; another selection needs them."""
    graph = grimp.build_graph("seglib", exclude_type_checking_imports=True, cache_dir=None)
    modules: set[str] = set()
    for package in KINDS:
        folder = package.__name__.replace(".", "/")
        others = {f"{folder}/{name}.py" for name in plugins.names(package)} - {*declared}
        if any(name.startswith(f"{folder}/") for name in declared):
            modules |= {m for name in others for m in graph.find_upstream_modules(name[:-3].replace("/", "."))}
    modules |= {module.rpartition(".")[0] for module in modules}
    return {f"{module.replace('.', '/')}{end}" for module in modules for end in (".py", "/__init__.py")}


def each_stage(*slow: str) -> list:
    """The stages, some of which take minutes."""
    return [pytest.param(stage, marks=pytest.mark.slow) if stage in slow else stage for stage in STAGES]


@pytest.mark.parametrize("stage", each_stage("prune", "export"))
def test_stage_needs_all_that_it_declares_and_nothing_else(project: Project, tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "alone"
    declared = lay_out(project, stage, folder)
    tried = (
        {*declared} - ONLY_ORDERED - FOR_VOLUMES - ON_REQUEST.get(stage, set()) - imported_by_other_plugins(declared)
    )
    changes = {name: {name: None, "dvc.yaml": undeclared(project, stage, name)} for name in tried}
    assert trial(stage, folder, changes) == []


@pytest.mark.parametrize("stage", each_stage("train", "evaluate", "prune", "export", "report")[1:])
def test_stage_needs_every_parameter_it_declares(project: Project, tmp_path: Path, stage: str) -> None:
    folder = tmp_path / "alone"
    lay_out(project, stage, folder)
    changes: dict[str, dict[str, str | None]] = {}
    for file in (name for name in ("params.yaml", "versions.yaml") if (folder / name).exists()):
        content = read(folder / file)
        nested = [(section, key) for section, values in content.items() if isinstance(values, dict) for key in values]
        for section, key in nested:
            less = {**content, section: {other: value for other, value in content[section].items() if other != key}}
            name = f"{section}.{key}"
            changes[name] = {file: dump(less), "dvc.yaml": undeclared(project, stage, name)}
        for name in content.keys() - {section for section, _ in nested}:
            changes[name] = {file: dump({other: value for other, value in content.items() if other != name})}
    assert trial(stage, folder, changes) == []
