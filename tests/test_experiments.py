"""Experiments, as README tells them: `exp run -S`, `--temp`, the queue, and what is shown of them."""

import json
import shutil
from pathlib import Path

import pytest

from seglib.case_table import case_name, parse_cases
from tests.project import Project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    shutil.copytree(finished.root, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-qm", "results")
    return project


def test_exp_run_changes_parameters_and_shows_sensible_names(project: Project) -> None:
    project.run("dvc", "exp", "run", "-n", "wide", "-S", "train.epochs=1", "-S", "model.unet.channels=[4,8,16]")
    assert "model.unet.channels" in project.run("dvc", "params", "diff").stdout
    names = json.loads(project.run("dvc", "metrics", "diff", "--json").stdout)
    assert {"dice", "iou"} <= names["reports/evaluate/metrics.json"].keys()
    assert "wide" in project.run("dvc", "exp", "show", "--only-changed").stdout
    shown = project.run("dvc", "metrics", "show").stdout
    assert "foreground/dice" in shown
    assert "file://" in project.run("dvc", "plots", "diff", "HEAD").stdout


def test_plots_of_two_revisions_stand_side_by_side(project: Project) -> None:
    plots = json.loads(project.run("dvc", "plots", "diff", "HEAD", "--json").stdout)["data"]
    for title in ("Loss", "Validation Dice", "Learning rate", "Dice of each class", "Confusion matrix", "Calibration"):
        values = plots[title][0]["content"]["data"]["values"]
        assert {value["rev"] for value in values} == {"workspace", "HEAD"}, title
    overlays = {path: found for path, found in plots.items() if path.startswith("reports/evaluate/overlays/")}
    drawn = {str(file.relative_to(project.root)) for file in (project.root / "reports/evaluate/overlays").iterdir()}
    assert overlays.keys() == drawn
    cases = parse_cases((project.root / "reports/evaluate/cases.csv").read_text(encoding="utf-8"), "cases.csv")
    assert {Path(path).stem for path in drawn} <= set(map(case_name, cases.ids)), "of any rank, so that they pair up"
    for found in overlays.values():
        assert {(each["type"], *each["revisions"]) for each in found} == {("image", "HEAD"), ("image", "workspace")}
        assert all(Path(each["url"]).is_file() for each in found)


def test_exp_run_in_a_temporary_folder_leaves_the_workspace_alone(project: Project) -> None:
    before = project.outputs()
    done = project.run("dvc", "exp", "run", "--temp", "-n", "temporary", "-S", "train.lr=1e-5")
    assert "Running stage 'preprocess'" not in done.stdout + done.stderr
    assert project.outputs() == before
    assert project.run("git", "status", "--porcelain").stdout == ""
    assert (project.root / "reports/train/logs/temporary/timing.json").exists()


@pytest.mark.slow
def test_two_experiments_make_the_same_shards_at_once(project: Project) -> None:
    shutil.rmtree(project.root / ".store")
    project.run("dvc", "exp", "run", "--queue", "-S", "preprocess.image_size=24", "-S", "train.seed=1,2")
    project.run("dvc", "exp", "run", "--run-all", "--jobs", "2")
    assert len(project.run("dvc", "exp", "list", "--name-only").stdout.split()) == 2
    files = [file.name for file in (project.root / ".store/shards").rglob("*") if file.is_file()]
    assert not [name for name in files if name.startswith(".new-") or name.endswith(".lock")]
    assert not [state for state in (project.root / ".store/training").iterdir() if state.is_dir()]
    shards = len(list((project.root / "data/cache").iterdir()))
    assert len([name for name in files if name.endswith(".pt")]) == shards
    summary = json.loads(project.run("seg", "summary", "--json").stdout)
    assert [group["n"] for group in summary["groups"]] == [2]
