"""Several processes train what one process trains with the same batch."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import REPOSITORY, Project


def train(*command: str) -> dict:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(lines) == 1, "one process speaks for all"
    return json.loads(lines[0])


@pytest.fixture(scope="module")
def alone() -> dict:
    return train(sys.executable, "-m", "tests.process_driver", "1", "4", "1", "9")


@pytest.mark.parametrize(
    ("launcher", "accumulate"), [([], "1"), (["-m", "torch.distributed.run", "--nproc-per-node=2"], "2")],
    ids=["own launcher", "torchrun, accumulating"],
)  # fmt: skip
def test_two_processes_give_the_curve_of_one(alone: dict, launcher: list[str], accumulate: str) -> None:
    """Nine images: the last batch of each epoch is one image, and both processes validate what is uneven."""
    both = train(sys.executable, *launcher, "-m", "tests.process_driver", "2", "4", accumulate, "9")
    assert (alone["world"], both["world"]) == (1, 2)
    for name in ("curve", "cases"):
        for found, expected in zip(both[name], alone[name], strict=True):
            assert found == pytest.approx(expected, rel=1e-4, nan_ok=True)
    assert both["weights"] == pytest.approx(alone["weights"], rel=1e-4, abs=1e-6)


def test_all_processes_validate_the_very_model_that_is_kept() -> None:
    """Five images in batches of four: the second process has the short batch alone."""
    both = train(sys.executable, "-m", "tests.process_driver", "2", "4", "1", "5")
    assert both["statistics"][0] == both["statistics"][1]
    assert len(both["cases"]) == 5


def test_processes_that_the_settings_do_not_know_are_refused() -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "tests.process_driver"]
    done = subprocess.run(
        [*command, "1", "4", "1", "9"], cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False
    )
    assert "2 processes were started, but train.devices: 1 × train.nodes: 1 makes 1" in done.stderr


SITE = """
import os, sys

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        print(os.path.abspath(os.fsdecode(arguments[0])), file=notes, flush=True)

if sys.orig_argv[1:] == ["-m", "seglib.stage", "train"]:
    notes = open(os.path.join(os.path.dirname(__file__), os.environ.get("LOCAL_RANK", "0")), "a")
    sys.addaudithook(note)
"""
"""A `sitecustomize` that notes beside itself, a file a process, what the processes of the stage open for writing."""


def train_stage(finished: Project, root: Path, devices: int) -> tuple[list[float], dict[str, set[str]]]:
    """Run the stage as a user does; the validation Dice of its epochs, and what each process wrote."""
    shutil.copytree(finished.root, root / "project", symlinks=True)
    project = Project(root / "project")
    project.set_params({"train.devices": devices, "train.precision": "fp32"})
    notes = root / "notes"
    notes.mkdir()
    (notes / "sitecustomize.py").write_text(SITE)
    text = project.repro("train", PYTHONPATH=str(notes), PYTHONDONTWRITEBYTECODE="1").text
    assert re.findall(r"^epoch (\d)/2:", text, re.MULTILINE) == ["1", "2"]
    assert len(list((project.root / "reports/train/logs/workspace/tensorboard").iterdir())) == 1
    with (project.root / "reports/train/plots/dice.tsv").open(newline="") as file:
        curve = [float(row["val"]) for row in csv.DictReader(file, delimiter="\t")]
    return curve, {file.name: _within(project.root, file) for file in notes.iterdir() if file.name.isdigit()}


def _within(root: Path, notes: Path) -> set[str]:
    written = map(Path, notes.read_text().splitlines())
    return {str(path.relative_to(root)) for path in written if path.is_relative_to(root)}


def test_of_two_processes_of_the_stage_one_writes(finished: Project, tmp_path: Path) -> None:
    alone, _ = train_stage(finished, tmp_path / "1", 1)
    both, written = train_stage(finished, tmp_path / "2", 2)
    assert len(alone) == 2
    assert both == pytest.approx(alone, abs=1e-3)
    assert "reports/train/metrics.json" in written["0"]
    assert any("/tensorboard/" in path for path in written["0"])
    assert written["1"] == set()
