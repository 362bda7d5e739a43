"""What one run left behind, read through DVC: of a commit, branch, tag or experiment, or of the workspace."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.experiments.utils import exp_refs
from dvc.scm import RevError
from dvc.stage import Stage
from dvc_data.index import DataIndexDirError
from ruamel.yaml import YAML
from scmrepo.exceptions import SCMError

from seglib.case_table import CaseTable, case_name, parse_cases
from seglib.compare.provenance import DIGITS, digest, outdated, recorded_inputs, recorded_outputs, recorded_params
from seglib.errors import SegError, nearest
from seglib.metrics_file import parse_metrics
from seglib.paths import EVALUATE_REPORT, PARAMS
from seglib.summary import Run

WORKSPACE = "workspace"
METRICS = EVALUATE_REPORT / "metrics.json"
CASES = EVALUATE_REPORT / "cases.csv"
THUMBNAILS = EVALUATE_REPORT / "thumbnails"
ANEW = "run `dvc repro` there, and commit dvc.lock with reports/"
UNSHALLOW = "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'"
NAMES = "name a commit, branch, tag or experiment"
REMOTE_BRANCHES = "refs/remotes/"


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
    rule: Mapping[str, Any]
    """`compare` of its params.yaml, unchecked; empty where it has none."""


def read_revision(asked: str) -> Revision:
    """Read the run of a revision, under any name that DVC knows.

    Raises SegError where there is no such revision, where its results are missing, broken, from before conventions
    were recorded, or not those of its dvc.lock, and where its cases are neither in DVC's cache nor in the remote.
    """
    with _at(asked) as (repo, commit):
        name = _name(asked, commit)
        stages = list(repo.stage.collect("evaluate", with_deps=True))
        metrics = parse_metrics(_result(repo, stages, METRICS, name), f"{name}: {METRICS}", "conventions")
        cases = parse_cases(_result(repo, stages, CASES, name), f"{name}: {CASES}")
        run = Run(name, "finished", recorded_params(stages), metrics, recorded_inputs(stages))
        return Revision(asked, run, cases, outdated(repo, stages), _rule(repo))


def read_thumbnails(revision: Revision, ids: Iterable[str]) -> dict[str, bytes]:
    """The small pictures (WebP) of those of the cases that have one here or in the remote."""
    with _at(revision.asked) as (repo, _):
        found = {key: _read(repo, THUMBNAILS / f"{case_name(key)}.webp") for key in ids}
    return {key: content for key, content in found.items() if content is not None}


@contextmanager
def _at(asked: str) -> Iterator[tuple[Repo, str]]:
    """DVC's view of a revision, and its commit; empty for the workspace.

    DVC answers the name of a file or folder with an AttributeError, a remote whose plug-in is missing with an
    ImportError, and YAML such as `2020-13-45` with a ValueError.
    """
    with ExitStack() as stack:
        try:
            with _known(asked):
                repo = stack.enter_context(Repo(config=_remote()))
                commit = stack.enter_context(repo.switch(asked))
        except AttributeError as error:
            raise SegError(f"'{asked}' is no commit; {NAMES}") from error
        except (DvcException, SCMError, OSError) as error:
            raise _unreadable(asked, error) from error
        try:
            yield repo, "" if asked == WORKSPACE else commit
        except (DvcException, OSError, ImportError, ValueError) as error:
            raise _unreadable(asked, error) from error


def _unreadable(asked: str, error: Exception) -> SegError:
    advice = NAMES if isinstance(error, SCMError) else "mend that, or name another revision"
    return SegError(f"DVC cannot read '{asked}': {error}; {advice}")


@contextmanager
def _known(asked: str) -> Iterator[None]:
    try:
        yield
    except RevError as error:
        raise _unknown(asked, error) from None


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
        remote = [ref.removeprefix(REMOTE_BRANCHES) for ref in scm.iter_refs(REMOTE_BRANCHES)]
        names = {*scm.list_branches(), *scm.list_tags(), *remote, *experiments, WORKSPACE}
    if asked in experiments:
        return SegError(f"{error}: several experiments have this name; take the commit that `dvc exp list -A` shows")
    if shallow:
        return SegError(f"no revision '{asked}' in this shallow clone; run `{UNSHALLOW}`, then name origin/<branch>")
    return SegError(f"no revision '{asked}'; {nearest(asked, names)}")


def _result(repo: Repo, stages: Sequence[Stage], path: Path, name: str) -> str:
    recorded = recorded_outputs(stages).get(str(path))
    content = _read(repo, path)
    if content is None:
        raise SegError(f"{name}: {_absence(repo, path) if recorded else f'no {path};'} {ANEW}")
    if not recorded:
        raise SegError(f"{name}: dvc.lock does not record {path}; {ANEW}")
    if digest(content) != recorded:
        raise SegError(f"{name}: {path} is not the file that dvc.lock records; {ANEW}")
    return content.decode(errors="replace")


def _rule(repo: Repo) -> Mapping[str, Any]:
    content = YAML(typ="safe", pure=True).load(_read(repo, PARAMS) or b"")
    rule = content.get("compare") if isinstance(content, dict) else None
    return rule if isinstance(rule, dict) else {}


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
