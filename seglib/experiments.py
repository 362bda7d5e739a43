"""The experiments that DVC keeps, as runs to be summed up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.experiments.utils import exp_refs

from seglib.errors import SegError, nearest
from seglib.paths import EVALUATE_REPORT, PARAMS
from seglib.summary import Run

if TYPE_CHECKING:
    from dvc.repo.experiments.serialize import ExpRange, SerializableExp

METRICS = str(EVALUATE_REPORT / "metrics.json")
DIGITS = 7


def read_runs(names: Sequence[str] = ()) -> list[Run]:
    """The experiments of HEAD, or those of the names, which may belong to other commits.

    Values of other files than `reports/evaluate/metrics.json` and `params.yaml` are called `file:name`, as
    by DVC. Only parameters that a stage depends on are read, so that neither `train.workers` nor the options
    of unselected plug-ins tell experiments apart. `dvc.api.exp_show` would give lists as text and hide which
    of several files a value is from.
    Raises SegError where there is no repository, no experiment, or none of a name.
    """
    try:
        with Repo() as repo:
            runs = _runs_of(repo, ["HEAD"])
            if absent := set(names) - {run.name for run in runs}:
                commits = {ref.baseline_sha for ref in exp_refs(repo.experiments.scm) if ref.name in absent}
                runs += [run for run in _runs_of(repo, sorted(commits)) if run.name in absent]
    except DvcException as error:
        raise SegError(f"DVC cannot list the experiments: {error}") from None
    if not runs:
        raise SegError(
            "no experiments of this commit; run `dvc exp run --queue -S train.seed=0,1,2` and "
            "`dvc exp run --run-all`, or name experiments of another commit"
        )
    known = {run.name for run in runs}
    if unknown := [name for name in names if name not in known]:
        raise SegError(f"no experiment '{unknown[0]}'; {nearest(unknown[0], known)}")
    return [run for run in runs if run.name in names] if names else runs


def _runs_of(repo: Repo, commits: Sequence[str]) -> list[Run]:
    if not commits:
        return []
    states = repo.experiments.show(revs=list(commits), hide_workspace=True, param_deps=True)
    return [_run(experiment) for state in states for experiment in state.experiments or ()]


def _run(experiment: "ExpRange") -> Run:
    last = experiment.revs[0]
    name = experiment.name or last.name or last.rev[:DIGITS]
    state = experiment.executor.state if experiment.executor else "success"
    if not last.data:
        return Run(name, f"unreadable: {last.error.msg if last.error else 'no data'}", {})
    return Run(
        name,
        "finished" if state == "success" else state,
        _values(last.data.params, str(PARAMS)),
        _values(last.data.metrics, METRICS),
        _inputs(last.data),
    )


def _values(files: Mapping[str, Any], main: str) -> dict[str, Any]:
    """The values of all readable files under dotted keys, those of other files than `main` after its name."""
    return {
        key if file == main else f"{file}:{key}": value
        for file, content in files.items()
        for key, value in _flat(content.get("data") or {})
    }


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _inputs(data: "SerializableExp") -> dict[str, str]:
    """What no stage makes: code and data, each with the head of its digest.

    DVC lists metrics and plots under no outputs; all lie in `reports/`.
    """
    return {
        path: dep.hash[:DIGITS]
        for path, dep in data.deps.items()
        if dep.hash and path not in data.outs and path != str(PARAMS) and not path.startswith("reports/")
    }
