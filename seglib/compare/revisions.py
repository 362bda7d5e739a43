"""What one run left behind, read through DVC: of a commit, branch, tag or experiment, or of the workspace."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.experiments.utils import exp_refs
from dvc.scm import RevError
from dvc.stage import Stage
from dvc_data.index import DataIndexDirError

from seglib.case_table import CaseTable, case_name, parse_cases
from seglib.compare.provenance import DIGITS, digest, outdated, recorded_inputs, recorded_outputs, recorded_params
from seglib.errors import SegError, listing, nearest
from seglib.paths import EVALUATE_REPORT
from seglib.summary import Run

WORKSPACE = "workspace"
METRICS = EVALUATE_REPORT / "metrics.json"
CASES = EVALUATE_REPORT / "cases.csv"
THUMBNAILS = EVALUATE_REPORT / "thumbnails"
ANEW = "run `dvc repro` there, and commit dvc.lock with reports/"


@dataclass(frozen=True)
class Revision:
    """One run: what it started from, its figures, and its cases."""

    asked: str
    """As the user named it, for DVC."""
    run: Run
    """Its name is for people; parameters and inputs are those that dvc.lock records."""
    cases: CaseTable
    outdated: Sequence[str]
    """Parameters and code that were changed after the results were computed."""


def read_revision(asked: str) -> Revision:
    """Read the run of a revision, under any name that DVC knows.

    Raises SegError where there is no such revision, where its results are missing, broken, from before conventions
    were recorded, or not those of its dvc.lock, and where its cases are neither in DVC's cache nor in the remote.
    """
    with _at(asked) as (repo, commit):
        name = _name(asked, commit)
        stages = list(repo.stage.collect("evaluate", with_deps=True))
        metrics = parse_metrics(_result(repo, stages, METRICS, name), f"{name}: {METRICS}")
        cases = parse_cases(_result(repo, stages, CASES, name), f"{name}: {CASES}")
        run = Run(name, "finished", recorded_params(stages), metrics, recorded_inputs(stages))
        return Revision(asked, run, cases, outdated(repo, stages))


def read_thumbnails(revision: Revision, ids: Iterable[str]) -> dict[str, bytes]:
    """The small pictures (WebP) of those of the cases that have one here or in the remote."""
    with _at(revision.asked) as (repo, _):
        found = {key: _read(repo, THUMBNAILS / f"{case_name(key)}.webp") for key in ids}
    return {key: content for key, content in found.items() if content is not None}


def parse_metrics(text: str, source: str) -> dict[str, float]:
    """Read `metrics.json`: finite numbers under their names, `conventions` among them.

    Raises SegError, with `source` as the file's name, for anything else.
    """
    try:
        content = json.loads(text, parse_constant=float)
    except json.JSONDecodeError as error:
        raise SegError(f"{source} is not valid JSON: {error}; {ANEW}") from None
    if not isinstance(content, dict):
        raise SegError(f"{source} must hold names and numbers, found {type(content).__name__}; {ANEW}")
    if wrong := [f"{name} is {value!r}" for name, value in content.items() if not _is_figure(value)]:
        raise SegError(f"{source} must hold finite numbers: {listing(wrong)}; {ANEW}")
    if "conventions" not in content:
        raise SegError(f"{source} is from before the metrics' conventions had a version; {ANEW}")
    return content


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@contextmanager
def _at(asked: str) -> Iterator[tuple[Repo, str]]:
    """DVC's view of a revision, and its commit; empty for the workspace."""
    try:
        with Repo(config=_remote()) as repo, repo.switch(asked) as commit:
            yield repo, "" if asked == WORKSPACE else commit
    except RevError as error:
        raise _unknown(asked, error) from None
    except (DvcException, OSError) as error:
        raise SegError(f"DVC cannot read '{asked}': {error}") from None


def _name(asked: str, commit: str) -> str:
    """For people: what was asked for and the commit's first letters, each once."""
    short = commit[:DIGITS]
    return short if short and asked.startswith(short) else f"{asked} ({short})" if short else asked


def _remote() -> dict[str, Any]:
    """The default remote of today, which an older commit may not name."""
    with Repo() as repo:
        name = repo.config["core"].get("remote")
        return {"core": {"remote": name}, "remote": {name: repo.config["remote"].get(name, {})}} if name else {}


def _unknown(asked: str, error: RevError) -> SegError:
    with Repo() as repo:
        scm = repo.experiments.scm
        experiments = {ref.name for ref in exp_refs(scm)}
        shallow = bool(scm.dulwich.repo.get_shallow())
        names = {*scm.list_branches(), *scm.list_tags(), *experiments, WORKSPACE}
    if asked in experiments:
        return SegError(f"{error}: several experiments have this name; take the commit that `dvc exp list -A` shows")
    if shallow:
        return SegError(f"no revision '{asked}' in this shallow clone; `git fetch --unshallow` brings the history")
    return SegError(f"no revision '{asked}'; {nearest(asked, names)}")


def _result(repo: Repo, stages: Sequence[Stage], path: Path, name: str) -> str:
    recorded = recorded_outputs(stages).get(str(path))
    content = _read(repo, path)
    if content is None:
        raise SegError(f"{name}: {_absence(repo, path) if recorded else f'no {path};'} {ANEW}")
    if recorded and digest(content) != recorded:
        raise SegError(f"{name}: {path} is not the file that dvc.lock records; {ANEW}")
    return content.decode(errors="replace")


def _absence(repo: Repo, path: Path) -> str:
    remote = repo.config["core"].get("remote")
    where = f"neither in DVC's cache nor in the remote '{remote}'" if remote else "not in DVC's cache; no remote is set"
    return f"{path} is {where}; `dvc push` it from where it was computed, or else"


def _read(repo: Repo, path: Path) -> bytes | None:
    """From git or the workspace, else from the cache or the remote; None where it is in none of them."""
    try:
        with repo.dvcfs.open(f"/{path.as_posix()}", "rb") as file:
            return file.read()
    except (FileNotFoundError, DataIndexDirError):
        return None
