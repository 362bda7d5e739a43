"""Several processes train what one process trains with the same batch."""

import json
import subprocess
import sys

import pytest

from tests.project import REPOSITORY


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
