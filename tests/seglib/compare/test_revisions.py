"""Reading runs through the real DVC, of a repository whose one stage takes no time."""

import shlex
import shutil

import numpy as np
import pytest
from dvc.repo.experiments.refs import ExpRefInfo

from seglib.compare.revisions import read_revision, read_thumbnails
from seglib.errors import SegError
from seglib.paths import EVALUATE_REPORT
from tests.made_up import made_up
from tests.measured import commit, make_measured
from tests.project import REPOSITORY, Project

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # DVC's, of pygtrie


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Project:
    """`main` with a tag, a branch that is better, and an experiment; the workspace is main's."""
    project = make_measured(tmp_path_factory.mktemp("revisions") / "project")
    project.run("git", "tag", "v1")
    experiment = ("dvc", "exp", "run", "--temp", "-n", "tuned", "-S", "train.gain=0.2")
    project.run(*experiment, PYTHONPATH=str(REPOSITORY))
    project.run("git", "switch", "-qc", "better")
    commit(project, "better", train__gain=0.1)
    project.run("git", "switch", "-q", "main")
    project.run("dvc", "checkout", "-q")
    return project


@pytest.fixture
def repository(original, tmp_path, monkeypatch) -> Project:
    """A copy to change, the current folder."""
    shutil.copytree(original.root, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture
def inside(original, monkeypatch) -> Project:
    """The original, to read in."""
    monkeypatch.chdir(original.root)
    return original


def refusal(asked: str) -> str:
    with pytest.raises(SegError) as refused:
        read_revision(asked)
    return str(refused.value)


def test_every_name_that_dvc_knows_is_read(inside):
    commit_id = inside.run("git", "rev-parse", "main").stdout.strip()
    gains = {"main": 0, "v1": 0, "better": 0.1, "better~1": 0, "tuned": 0.2, "workspace": 0, commit_id: 0}
    gains[commit_id[:10]] = 0
    for asked, gain in gains.items():
        found = read_revision(asked)
        assert np.array_equal(found.cases.columns["dice"], made_up(gain).columns["dice"]), asked
        assert found.run.metrics["dice"] == pytest.approx(found.cases.columns["dice"].mean())
        assert (found.run.params["train.gain"], found.run.params["versions.yaml:numpy"]) == (gain, "2")
        assert "train.workers" not in found.run.params, "no stage depends on it"
        assert list(found.run.inputs) == ["measure.py"]
        assert not found.outdated
    assert read_revision("main").run.name == f"main ({commit_id[:7]})"
    assert read_revision(commit_id).run.name == commit_id[:7]
    assert read_revision("workspace").run.name == "workspace"


def test_thumbnails_are_those_of_the_revision_and_may_be_missing(inside):
    for asked, gain in {"tuned": 0.2, "workspace": 0.0}.items():
        found = read_thumbnails(read_revision(asked), ["case00", "case01", "case02"])
        assert found == {key: f"{key} of gain {gain}".encode() for key in ("case01", "case02")}


def test_an_unknown_name_is_answered_with_the_nearest(inside):
    assert refusal("tunde") == "no revision 'tunde'; did you mean 'tuned'?"
    assert refusal("btter") == "no revision 'btter'; did you mean 'better'?"
    assert refusal("zzz") == "no revision 'zzz'; known: better, main, tuned, v1, workspace"


def test_a_shallow_clone_says_how_to_fetch(inside, tmp_path, monkeypatch):
    inside.run("git", "clone", "-q", "--depth", "1", f"file://{inside.root}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    told = refusal("better")
    assert told.startswith("no revision 'better' in this shallow clone; run `git fetch ")
    fetch = shlex.split(told.split("`")[1])
    inside.run("git", "-C", str(tmp_path / "shallow"), *fetch[1:], "--quiet")
    assert refusal("origin/btter") == "no revision 'origin/btter'; did you mean 'origin/better'?"


def test_an_experiments_name_of_several_commits_is_ambiguous(repository):
    ids = repository.run("git", "rev-list", "--all", "--max-count=3").stdout.split()
    for baseline in ids[:2]:
        repository.run("git", "update-ref", str(ExpRefInfo(baseline, "twin")), ids[2])
    repository.run("git", "commit", "-qm", "another baseline", "--allow-empty")
    assert "several experiments have this name; take the commit that `dvc exp list -A` shows" in refusal("twin")


def test_cases_come_from_the_remote_and_are_missed_loudly(repository, tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    repository.run("git", "clone", "-q", str(repository.root), str(clone))
    monkeypatch.chdir(clone)
    alone = refusal("origin/better")
    assert (
        "reports/evaluate/cases.csv is not in DVC's cache; no remote is set; `dvc push` it from where it was computed"
        in alone
    )

    Project(clone).run("dvc", "remote", "add", "-q", "--default", "team", str(tmp_path / "remote"))
    assert "neither in DVC's cache nor in the remote 'team'" in refusal("origin/better")

    repository.run("dvc", "remote", "add", "-q", "--default", "team", str(tmp_path / "remote"))
    repository.run("git", "switch", "-q", "better")
    repository.run("dvc", "push", "-q")
    found = read_revision("origin/better")
    assert np.array_equal(found.cases.columns["dice"], made_up(0.1).columns["dice"])
    assert set(read_thumbnails(found, ["case01"])) == {"case01"}
    assert not list((clone / "reports").rglob("cases.csv")), "nothing is checked out"


def test_what_changed_after_the_figures_is_told(repository):
    repository.set_params({"train.gain": 0.3, "train.workers": 4})
    repository.append("measure.py", "# another word\n")
    assert list(read_revision("workspace").outdated) == ["train.gain", "measure.py"]
    assert read_revision("workspace").run.params["train.gain"] == 0, "that with which the figures were computed"
    repository.run("git", "commit", "-qam", "not run")
    assert list(read_revision("main").outdated) == ["train.gain", "measure.py"]
    assert not read_revision("main~1").outdated


@pytest.mark.parametrize("name", ["metrics.json", "cases.csv"])
def test_results_of_another_run_than_dvc_locks_are_refused(repository, name):
    place = EVALUATE_REPORT / name
    text = place.read_text()
    place.unlink()
    place.write_text(text.replace("0.7", "0.9"))
    assert refusal("workspace").startswith(f"workspace: {place} is not the file that dvc.lock records; run `dvc repro`")


def test_missing_results_are_refused(repository):
    repository.run("git", "rm", "-rq", "dvc.lock", "reports")
    repository.run("git", "commit", "-qm", "forgotten")
    shutil.rmtree("reports", ignore_errors=True)
    assert ": no reports/evaluate/metrics.json; run `dvc repro`" in refusal("main")
    assert ": no reports/evaluate/metrics.json; run `dvc repro`" in refusal("workspace")


def test_results_that_no_lock_records_are_refused(repository):
    (repository.root / "dvc.lock").unlink()
    assert refusal("workspace").startswith(
        "workspace: dvc.lock does not record reports/evaluate/metrics.json; run `dvc repro`"
    )


@pytest.mark.parametrize("asked", ["HEAD:params.yaml", "HEAD^{tree}"])
def test_what_is_no_commit_is_refused(inside, asked):
    assert refusal(asked) == f"'{asked}' is no commit; name a commit, branch, tag or experiment"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("dvc.lock", "a: [1", "unable to read: 'dvc.lock', YAML file structure is corrupted"),
        ("params.yaml", "a: [1", "unable to read: 'params.yaml', YAML file structure is corrupted"),
        ("params.yaml", "a: 2020-13-45", "month must be in 1..12"),
    ],
)
def test_a_commit_with_a_broken_file_is_told_and_no_other_name_is_asked_for(repository, name, text, told):
    (repository.root / name).write_text(text)
    repository.run("git", "commit", "-qam", "broken")
    assert refusal("main") == f"DVC cannot read 'main': {told}; mend that, or name another revision"


def test_a_repository_without_a_commit_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Project(tmp_path).run("git", "init", "-q")
    Project(tmp_path).run("dvc", "init", "-q")
    assert refusal("main") == "DVC cannot read 'main': Empty git repo; name a commit, branch, tag or experiment"


def test_a_remote_without_its_plug_in_is_told(repository, monkeypatch):
    def absent(*_: object) -> None:
        raise ImportError("no module dvc_s3")

    monkeypatch.setattr("seglib.compare.revisions._read", absent)
    assert refusal("main").startswith("DVC cannot read 'main': no module dvc_s3")


def test_a_commit_without_the_pipeline_is_refused(repository):
    repository.run("git", "rm", "-q", "dvc.yaml", "dvc.lock")
    repository.run("git", "commit", "-qm", "no pipeline")
    assert refusal("main").startswith("DVC cannot read 'main': ")


def test_a_folder_without_a_repository_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal("main").startswith("DVC cannot read 'main': you are not inside of a DVC repository")


def test_a_project_may_lie_in_a_folder_of_the_repository(tmp_path, monkeypatch):
    project = make_measured(tmp_path / "inner", subdir=True)
    assert project.run("git", "rev-parse", "--show-toplevel").stdout.strip() == str(tmp_path)
    monkeypatch.chdir(project.root)
    found = read_revision("main")
    assert np.array_equal(found.cases.columns["dice"], made_up(0).columns["dice"])
    assert len(read_thumbnails(found, found.cases.ids)) == len(found.cases.ids) - 1
