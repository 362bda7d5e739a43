"""How a stage ends: by a message, by a signal, and as one of several processes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.project import REPOSITORY

STAGE = """
import errno, os, sys, time
from pathlib import Path
from seglib.errors import SegError
from seglib.stage import run_stage

def main():
    Path("started").touch()
    {body}

run_stage("split", main)
"""

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], env={"PYTHONPATH": sys.argv[2], "LOCAL_RANK": "1"})
time.sleep(4)
print(child.poll())
"""


def start(folder: Path, body: str, **environment: str) -> subprocess.Popen[str]:
    (folder / "dvc.yaml").write_text("stages: {split: {deps: []}}\n")
    env = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", **environment}
    return subprocess.Popen(
        [sys.executable, "-c", STAGE.format(body=body)], cwd=folder, env=env, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, told = process.communicate(timeout=60)
    return process.returncode, told


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise SegError('three eggs, found two')", "error: three eggs, found two\n"),
        (
            "raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), '.store/training')",
            "error: .store/training cannot be written (No space left on device); make room, or correct its rights\n",
        ),
    ],
)
def test_what_a_user_can_mend_is_told_in_one_message(tmp_path, body, message):
    assert finish(start(tmp_path, body)) == (1, message)


def test_a_defect_shows_its_traceback(tmp_path):
    code, told = finish(start(tmp_path, "raise KeyError('lost')"))
    assert code == 1
    assert "Traceback" in told


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_good_order(tmp_path, sent, code):
    process = start(tmp_path, "time.sleep(60)")
    while not (tmp_path / "started").exists():
        time.sleep(0.05)
    process.send_signal(sent)
    assert finish(process) == (code, "")


def test_one_of_several_processes_leaves_the_word_and_the_end_to_the_first(tmp_path):
    """It goes on until its parent has gone, which is then done with putting outputs back."""
    (tmp_path / "dvc.yaml").write_text("stages: {split: {deps: []}}\n")
    body = STAGE.format(body="raise SegError('told by the first')")
    done = subprocess.run(
        [sys.executable, "-c", PARENT, body, str(REPOSITORY)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "None\n"
    assert done.stderr == ""


IN_A_WORKER = """
    from torch.utils.data import DataLoader, Dataset

    class Broken(Dataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            raise SegError('three eggs\\nfound: two')

    list(DataLoader(Broken(), num_workers=1, multiprocessing_context='fork'))
"""


def test_an_error_of_a_loaders_worker_is_told_like_one_of_the_stage_itself(tmp_path):
    assert finish(start(tmp_path, IN_A_WORKER.strip())) == (1, "error: three eggs\nfound: two\n")
