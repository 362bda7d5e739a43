"""The code and version dependencies of `dvc.yaml`, from the import graph."""

import sys
import tomllib
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import grimp
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from seglib import plugins
from seglib.errors import SegError, listing
from seglib.paths import PARAMS, PIPELINE, VERSIONS

PROJECT = ("stages", "seglib")
STARTER = "seglib.stage"
"""Imports and runs the stages."""
PROJECT_FILE = Path("pyproject.toml")
LOCK = Path("requirements.lock")
HEAVY = {"torch", "monai", "lightning_fabric"}
"""Never imported by a stage that reads the whole `params.yaml`: it only looks at the plug-ins' options."""


class ImportGraph:
    """Which module of the project imports which, and which libraries."""

    def __init__(self) -> None:
        """Read the sources of the current folder; imports for type checkers do not count."""
        self._graph = grimp.build_graph(
            *PROJECT, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
        )
        settings = tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["tool"]["seg"]
        self._versions: dict[str, list[str]] = settings["versions"]
        self._neutral: list[str] = settings["neutral"]
        self._telling: list[str] = settings["telling"]

    def code(self, stage: str, *, light: bool) -> list[str]:
        """The files a stage imports, sorted; a plug-in's file stands for the selected one of its kind.

        A light stage lists every plug-in, but nothing that needs a heavy library.
        """
        modules = self._closure(stage, light=light)
        files = {self._file(module) for module in modules if not (self._kind(module) and not light)}
        files |= {template for module in modules if (template := self._template(module)) and not light}
        return sorted(files)

    def libraries(self, stage: str) -> list[str]:
        """The distributions that make a stage's numbers, sorted; all of them where the stage tells of them.

        Raises SegError for an import that `pyproject.toml` says nothing about.
        """
        if stage in self._telling:
            return self.all_distributions()
        found: set[str] = set()
        for library in {name for module in self._closure(stage, light=False) for name in self._libraries(module)}:
            if library not in self._versions and library not in self._neutral:
                raise SegError(f"'{library}' is imported, but stands in no [tool.seg] list of {PROJECT_FILE}; add it")
            found |= set(self._versions.get(library, ()))
        return sorted(found)

    def all_distributions(self) -> list[str]:
        """Every distribution that may make numbers, sorted."""
        return sorted({name for names in self._versions.values() for name in names})

    def _closure(self, stage: str, *, light: bool) -> set[str]:
        seen: set[str] = set()
        waiting = [STARTER, f"stages.{stage}"]
        while waiting:
            module = waiting.pop()
            if module in seen or (light and not self._kind(module) and self._libraries(module) & HEAVY):
                continue
            seen.add(module)
            package = module.rpartition(".")[0]
            plugins_of_kind = list(self._graph.find_children(module)) if module in plugins.SECTIONS else []
            imported = self._graph.find_modules_directly_imported_by(module)
            waiting += [*(m for m in imported if self._is_ours(m)), *plugins_of_kind, *([package] if package else [])]
        return seen

    def _libraries(self, module: str) -> set[str]:
        imported = self._graph.find_modules_directly_imported_by(module)
        return {m for m in imported if not self._is_ours(m) and m not in sys.stdlib_module_names}

    def _is_ours(self, module: str) -> bool:
        return module.partition(".")[0] in PROJECT

    def _kind(self, module: str) -> str | None:
        return plugins.SECTIONS.get(module.rpartition(".")[0])

    def _template(self, module: str) -> str | None:
        kind = self._kind(module)
        return f"{module.rpartition('.')[0].replace('.', '/')}/${{{kind}.name}}.py" if kind else None

    def _file(self, module: str) -> str:
        path = Path(*module.split("."))
        return str(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


def generated_files() -> dict[Path, str]:
    """The texts that `dvc.yaml` and `versions.yaml` must have.

    In `dvc.yaml` every `.py` dependency is replaced, and the list under `versions.yaml` of each stage
    that has one; everything else stays as its author wrote it.
    """
    graph = ImportGraph()
    yaml = YAML()
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    pipeline = yaml.load(PIPELINE)
    for name, stage in pipeline["stages"].items():
        _set_code(stage, graph, name)
        _set_versions(stage, graph, name)
    return {PIPELINE: _dump(yaml, pipeline), VERSIONS: _versions_text(graph.all_distributions())}


def outdated_files() -> list[Path]:
    """The generated files whose text differs from what the imports and the lock ask for."""
    wanted = generated_files()
    return [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def _set_code(stage: CommentedMap, graph: ImportGraph, name: str) -> None:
    data = [dep for dep in stage["deps"] if not dep.endswith(".py")]
    stage["deps"] = CommentedSeq([*data, *graph.code(name, light=str(PARAMS) in data)])


def _set_versions(stage: CommentedMap, graph: ImportGraph, name: str) -> None:
    for entry in stage.get("params", []):
        if isinstance(entry, dict) and str(VERSIONS) in entry:
            entry[str(VERSIONS)] = CommentedSeq(graph.libraries(name))


def _versions_text(distributions: Iterable[str]) -> str:
    locked = locked_versions()
    if absent := [name for name in distributions if name not in locked]:
        raise SegError(f"{LOCK} does not pin {listing(absent)}; run `make lock`")
    lines = [f"{name}: '{locked[name]}'" for name in distributions]
    return "\n".join(["# Generated from requirements.lock by `make deps`; stages list what they import.", *lines, ""])


def locked_versions() -> dict[str, str]:
    """Distribution → version, as `requirements.lock` pins them."""
    pins = (line.partition("==") for line in LOCK.read_text().splitlines() if "==" in line and line[0] != "#")
    return {name.strip().lower(): pinned.split(";")[0].strip() for name, _, pinned in pins}


def _dump(yaml: YAML, content: Any) -> str:
    text = StringIO()
    yaml.dump(content, text)
    return text.getvalue()
