"""Same code, parameters, data, versions and threads give the same bytes."""

import re
import shutil
from pathlib import Path

import pytest

from tests.project import Project

TRAINED = ("models/best.pt", "models/last.pt", "reports/train/metrics.json", "reports/train/plots")
ALL_THAT_COUNTS = {
    "train.epochs": 3,
    "train.accumulate": 2,
    "train.small_targets": 0.5,
    "model.unet.dropout": 0.2,
    "optimizer.ema": 0.5,
    "optimizer.clip_norm": 1.0,
}
"""What draws random numbers, or adds up in an order of its own."""


def train_anew(project: Project, workers: int) -> dict[str, bytes]:
    """Train by force with an empty store; every epoch must really run."""
    shutil.rmtree(project.root / ".store")
    project.set_params({"train.workers": workers, **ALL_THAT_COUNTS})
    repro = project.repro("--force", "--no-run-cache", "train")
    assert "train" in repro.ran
    assert re.findall(r"^epoch (\d)/3:", repro.text, re.MULTILINE) == ["1", "2", "3"]
    return {name: content for name, content in project.outputs().items() if name.startswith(TRAINED)}


def test_trained_twice_gives_the_same_bytes_whatever_the_number_of_workers(finished: Project, tmp_path: Path) -> None:
    runs = []
    for workers in (0, 2):
        root = tmp_path / str(workers)
        shutil.copytree(finished.root, root, symlinks=True)
        runs.append(train_anew(Project(root), workers))
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_another_seed_gives_other_bytes(finished: Project, tmp_path: Path) -> None:
    shutil.copytree(finished.root, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    before = project.outputs()["models/best.pt"]
    project.set_params({"train.seed": 1})
    project.repro("train")
    assert project.outputs()["models/best.pt"] != before
