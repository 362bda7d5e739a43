"""`.github/compare.sh` and the job that runs it: both sides computed anew, the verdict, the comment."""

import json
import shutil
from pathlib import Path

import pytest

from tests.environment import lend_environment
from tests.measured import make_measured
from tests.project import REPOSITORY, TINY, Project, make_images, make_project
from tests.workflow import compare_steps, post_comment, run_job

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="no jq, by which `gh` picks the comment")
MAKEFILE = "env:\nrepro:\n\tdvc repro\n"
MARKER = "<!-- seg compare -->"
OLD_MEASURE = """
measure()
from pathlib import Path

metrics = Path("reports/evaluate/metrics.json")
metrics.write_text(metrics.read_text().replace('"conventions": 1, ', ""))
"""


@pytest.fixture
def repository(tmp_path: Path) -> Project:
    """`main`, whose committed figures are of no machine, in a repository whose pipeline takes no time."""
    project = make_measured(tmp_path / "project")
    (project.root / ".github").mkdir()
    for name in ("compare.sh", "comment.sh"):
        shutil.copy2(REPOSITORY / ".github" / name, project.root / ".github" / name)
    (project.root / "Makefile").write_text(MAKEFILE)
    (project.root / "requirements.lock").touch()
    metrics = project.root / "reports/evaluate/metrics.json"
    metrics.write_text(metrics.read_text().replace("0.7", "0.1"))
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "base")
    return project


def propose(project: Project, **params) -> str:
    """A pull request as GitHub checks it out: the merge of a branch into main; gives main's commit."""
    base = project.run("git", "rev-parse", "--short=7", "HEAD").stdout.strip()
    project.run("git", "switch", "-qc", "change")
    project.set_params({key.replace("__", "."): value for key, value in params.items()})
    project.run("git", "commit", "-qam", "change", "--allow-empty")
    project.run("git", "switch", "-q", "main")
    project.run("git", "switch", "-qc", "merge")
    project.run("git", "merge", "-q", "--no-ff", "-m", "merge", "change")
    return base


def rows(markdown: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in markdown.splitlines() if line.startswith("|")]


def test_a_change_for_the_worse_is_red_and_commented(repository, tmp_path):
    base = propose(repository, train__gain=-0.2, compare__max_drop=0.9)
    signing = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "commit.gpgsign", "GIT_CONFIG_VALUE_0": "true"}
    before = repository.run("git", "rev-parse", "HEAD").stdout
    job = run_job(repository, tmp_path / "github", PYTHONPATH=str(REPOSITORY), **signing)
    assert job.failed == [".github/compare.sh HEAD^1 comparison.html > comparison.md"]

    assert job.request[2:5] == ["--method", "POST", "repos/owner/name/issues/7/comments"]
    assert job.comment == job.summary.rstrip("\n")
    assert job.comment.startswith(f"### Metrics: {base}")
    cells = rows(job.comment)
    (dice,) = [line for line in cells if line[:2] == ["reports/evaluate/metrics.json", "dice"]]
    assert [float(cell) for cell in dice[2:]] == pytest.approx([0.7, 0.5, -0.2], abs=0.01), "computed, not as committed"
    assert job.comment.index("dvc metrics diff") < job.comment.index(MARKER) < job.comment.index("### Verdict: fail")
    assert f"\n{base} → workspace: 40 cases in 20 groups\n" in job.comment, "not the throw-away commit"
    assert job.comment.count("**Most worsened**") == 1
    assert "**Most improved**" not in job.comment
    assert "- Note: `compare.max_drop` is 0.9 in workspace; the verdict goes by base's, 0.01." in job.comment
    assert ["`train.gain`", "`0.0`", "`-0.2`"] in cells
    assert job.comment.endswith(" cores).")

    page = (repository.root / "comparison.html").read_text()
    assert page.startswith("<!doctype html>")
    assert f"Comparison of {base} with workspace" in page
    assert page.count("data:image/webp;base64,") == 10, "of both sides, read from the cache"
    assert repository.run("git", "rev-parse", "HEAD").stdout == before
    assert not (repository.root / ".dvc/config.local").exists()


@pytest.mark.slow
@pytest.mark.parametrize("gain", [0.2, 0.0, -0.005])
def test_changes_that_lose_nothing_to_speak_of_are_green(repository, tmp_path, gain):
    propose(repository, train__gain=gain)
    job = run_job(repository, tmp_path / "github", PYTHONPATH=str(REPOSITORY))
    assert not job.failed
    assert "### Verdict: pass" in job.comment
    assert ("**Most improved**" in job.comment) is (gain > 0)
    assert ("**Most worsened**" in job.comment) is (gain < 0)
    assert ("No metric changed." in job.comment) is (gain == 0)
    assert ("Neither parameters, versions, code nor data differ." in job.comment) is (gain == 0)


@pytest.mark.slow
def test_a_warning_is_green(repository, tmp_path):
    repository.set_params({"compare.max_drop": 0.0})
    repository.run("git", "commit", "-qam", "strict")
    propose(repository, train__seed=1)
    job = run_job(repository, tmp_path / "github", PYTHONPATH=str(REPOSITORY))
    assert not job.failed
    assert "### Verdict: warn" in job.comment
    assert "these cases cannot tell" in job.comment


@pytest.mark.slow
def test_a_base_from_before_the_conventions_is_red_and_its_metrics_are_shown(repository, tmp_path):
    script = (repository.root / "measure.py").read_text()
    (repository.root / "measure.py").write_text(script.replace("measure()\n", OLD_MEASURE))
    repository.run("git", "commit", "-qam", "as it was")
    (repository.root / "measure.py").write_text(script)
    propose(repository, train__gain=-0.2)
    job = run_job(repository, tmp_path / "github", PYTHONPATH=str(REPOSITORY))
    assert job.failed == [".github/compare.sh HEAD^1 comparison.html > comparison.md"]
    assert "reports/evaluate/metrics.json: no conventions, so it is of older code" in job.log
    assert "### No verdict\n\n    error: " in job.comment
    assert ["reports/evaluate/metrics.json", "dice"] in [line[:2] for line in rows(job.comment)]
    assert "### Verdict" not in job.comment


@pytest.mark.slow
@needs_jq
def test_a_pipeline_that_breaks_leaves_no_old_verdict(repository, tmp_path):
    repository.append("measure.py", "raise SystemExit(3)\n")
    propose(repository)
    old = [{"id": 5, "body": f"{MARKER} pass", "user": {"login": "github-actions[bot]"}}]
    job = run_job(repository, tmp_path / "github", json.dumps(old), PYTHONPATH=str(REPOSITORY))
    assert job.failed == [".github/compare.sh HEAD^1 comparison.html > comparison.md"]
    assert job.request[2:5] == ["--method", "PATCH", "repos/owner/name/issues/comments/5"]
    assert job.comment.startswith(f"{MARKER}\n\n### No verdict\n\nThe comparison broke off;")


@pytest.fixture
def trained(tmp_path) -> Project:
    """The real pipeline on discs, 3 epochs; the committed figures are of no machine."""
    images = make_images(tmp_path / "images", 30)
    params = {**TINY, "data.path": str(images), "split.test": 0.5, "train.epochs": 3}
    project = make_project(tmp_path / "project", params)
    lend_environment(project)
    project.repro()
    metrics = project.root / "reports/train/metrics.json"
    metrics.write_text(metrics.read_text().replace('"epochs": 3', '"epochs": 77'))
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "base")
    return project


@pytest.mark.slow
@pytest.mark.parametrize(("epochs", "verdict"), [(6, "pass"), (3, "pass"), (1, "fail")])
def test_the_real_pipeline_improved_unchanged_and_worse(trained, tmp_path, epochs, verdict):
    trained.set_params({"train.epochs": epochs})
    trained.run("git", "commit", "-qam", "head", "--allow-empty")
    job = run_job(trained, tmp_path / "github")
    assert f"### Verdict: {verdict}" in job.comment
    assert bool(job.failed) is (verdict == "fail")
    page = (trained.root / "comparison.html").read_text()
    if epochs == 3:
        assert "No metric changed." in job.comment
        return
    assert ["reports/train/metrics.json", "epochs", "3", str(epochs), str(epochs - 3)] in rows(job.comment)
    assert ["`train.epochs`", "`3`", f"`{epochs}`"] in rows(job.comment)
    assert ("**Most improved**" if epochs > 3 else "**Most worsened**") in job.comment
    assert "data:image/webp;base64,UklGR" in page, "a true WebP picture"


def test_an_unknown_base_is_refused(project):
    done = project.run(".github/compare.sh", "nowhere", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no revision 'nowhere' here")


def test_a_shallow_clone_is_refused(project, tmp_path):
    project.run("git", "clone", "-q", "--depth", "1", f"file://{project.root}", str(tmp_path / "shallow"))
    done = Project(tmp_path / "shallow").run(".github/compare.sh", "HEAD", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "git fetch --unshallow origin '+refs/heads/*:refs/remotes/origin/*'" in done.stderr


@pytest.mark.parametrize(("content", "code"), [('{"dice": 0.9}', 0), ('{"dice": NaN}', 1), ("{", 1)])
def test_metrics_that_are_no_json_are_refused(tmp_path, content, code):
    script = (REPOSITORY / ".github/compare.sh").read_text()
    check = script[script.index("strict=") : script.index('echo "== base')]
    (tmp_path / "reports/train").mkdir(parents=True)
    (tmp_path / "reports/train/metrics.json").write_text(content)
    assert Project(tmp_path).run("bash", "-c", f"{check} check_metrics .", check=False).returncode == code


@needs_jq
def test_the_pull_requests_one_comment_is_found_and_written_anew(tmp_path):
    comments = [
        {"id": 1, "body": f"{MARKER} quoted", "user": {"login": "someone"}},
        {"id": 2, "body": "of another job", "user": {"login": "github-actions[bot]"}},
        {"id": 3, "body": f"### Metrics\n\n{MARKER}\n\nold", "user": {"login": "github-actions[bot]"}},
    ]
    text = f'### Metrics\n\n{MARKER}\n\n`$HOME` "quoted"\n'
    request = post_comment(text, tmp_path / "found", json.dumps(comments))
    assert request[2:6] == ["--method", "PATCH", "repos/owner/name/issues/comments/3", "--field"]
    assert "\n".join(request[6:]) == f"body={text.rstrip()}"

    request = post_comment(text, tmp_path / "absent", json.dumps(comments[:2]))
    assert request[2:5] == ["--method", "POST", "repos/owner/name/issues/7/comments"]


def test_a_long_comment_is_cut_to_what_github_takes(tmp_path):
    request = post_comment("🩺" * 70_000, tmp_path)  # 240 kB, more than one argument may have
    assert 60_000 < len("\n".join(request)) < 61_000
    assert request[-1] == "… and more, in the run's artifact."


def test_the_job_is_gated_by_the_verdict_alone_and_tells_of_it_also_where_it_is_red():
    steps = compare_steps()
    (compare,) = [step for step in steps if step.get("id") == "compare"]
    assert compare["run"].startswith(".github/compare.sh HEAD^1 ")
    assert not [step for step in steps if "continue-on-error" in step]
    after = steps[steps.index(compare) + 1 :]
    assert [step.get("uses") or step["run"].split()[0] for step in after] == [
        "cat", "actions/upload-artifact@v4", ".github/comment.sh",
    ]  # fmt: skip
    assert all("!cancelled() && steps.compare.outcome != 'skipped'" in step["if"] for step in after)
    assert {"comparison.html", "reports/index.html"} < set(after[1]["with"]["path"].split())
    assert "head.repo.full_name == github.repository" in after[2]["if"], "a fork's token may not write"
    (checkout,) = [step for step in steps if str(step.get("uses")).startswith("actions/checkout@")]
    assert checkout["with"]["fetch-depth"] == 0, "the base is not in a shallow clone"
