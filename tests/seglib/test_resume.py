"""Where a training's state lies, and that two trainers of one run never meet."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from seglib.resume import KEPT_DAYS, Resume
from tests.project import REPOSITORY

HOLD = """
import sys, time
from pathlib import Path
from seglib.resume import Resume
resume = Resume(Path(sys.argv[1]))
with resume.alone():
    print("in", flush=True)
    sys.stdin.readline()
    resume.save({"epoch": 7})
    resume.clear()
    print("out", flush=True)
"""

FAIL = """
import sys
from pathlib import Path
from seglib.resume import Resume
try:
    with Resume(Path(sys.argv[1])).alone():
        raise ValueError
except ValueError:
    print("failed", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "training" / "run"


def hold(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read(process: subprocess.Popen) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_state_comes_back_as_it_was_saved(folder):
    resume = Resume(folder)
    assert resume.load() is None
    resume.save({"weights": torch.arange(3), "history": [{"epoch": 1}]})
    found = Resume(folder).load()
    assert found
    assert torch.equal(found["weights"], torch.arange(3))
    assert found["history"] == [{"epoch": 1}]


def test_a_damaged_state_counts_as_none(folder):
    resume = Resume(folder)
    resume.save({"epoch": 1})
    file = folder / "state"
    file.write_bytes(file.read_bytes()[:-1])
    assert resume.load() is None


def test_success_deletes_the_state(folder):
    resume = Resume(folder)
    with resume.alone():
        resume.save({"epoch": 1})
        resume.clear()
    assert not folder.exists()


def test_the_second_waits_and_goes_on_from_what_the_first_leaves(folder):
    first, second = hold(folder), hold(folder)
    answers = {process: read(process) for process in (first, second)}
    ahead, behind = (first, second) if answers[first] == "in" else (second, first)
    assert answers[behind] == "another process trains this very run; waiting for it to end"
    while not list(folder.parent.glob("run.waits-*")):
        time.sleep(0.05)
    ahead.communicate("\n")
    assert Resume(folder).load() == {"epoch": 7}
    assert read(behind) == "in"
    behind.communicate("\n")
    assert not folder.exists()


def test_another_run_waits_in_the_same_folder_but_in_no_other(folder, tmp_path, monkeypatch):
    other = folder.with_name("other run")
    with Resume(folder).alone():
        waiter = hold(other)
        assert read(waiter) == "another process trains another run in this folder; waiting for it to end"
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
        elsewhere = hold(folder.with_name("third run"))
        assert read(elsewhere) == "in"
        elsewhere.communicate("\n")
    assert read(waiter) == "in"
    waiter.communicate("\n")


def test_after_an_error_the_locks_are_held_until_the_process_ends(folder):
    command = [sys.executable, "-c", FAIL, str(folder)]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert read(first) == "failed"
    second = hold(folder)
    assert read(second).startswith("another process trains this very run")
    first.communicate("\n")
    assert read(second) == "in"
    second.communicate("\n")


def test_what_killed_writers_left_is_deleted(folder):
    Resume(folder).save({"epoch": 1})
    (folder / ".new-torn").write_bytes(b"half")
    with Resume(folder).alone():
        assert [file.name for file in folder.iterdir()] == ["state"]


def test_a_killed_holder_frees_the_lock(folder):
    process = hold(folder)
    assert read(process) == "in"
    process.kill()
    process.communicate()
    with Resume(folder).alone():
        assert folder.parent.is_dir()


def test_a_killed_waiter_does_not_keep_the_state(folder):
    resume = Resume(folder)
    with resume.alone():
        waiter = hold(folder)
        assert read(waiter).startswith("another process")
        while not list(folder.parent.glob("run.waits-*")):
            time.sleep(0.05)
        waiter.kill()
        waiter.communicate()
        resume.save({"epoch": 1})
        resume.clear()
    assert not folder.exists()


def test_states_of_runs_given_up_are_forgotten(folder):
    Resume(folder).save({"epoch": 1})
    old = time.time() - (KEPT_DAYS + 1) * 86400
    os.utime(folder, (old, old))
    with Resume(folder.with_name("other")).alone():
        assert not folder.exists()


def test_an_orphan_leaves_its_state_to_the_next_run_of_its_parent(folder, monkeypatch):
    resume = Resume(folder)
    with resume.alone():
        resume.save({"epoch": 9})
        monkeypatch.setattr(os, "getppid", lambda: 1)
        resume.clear()
    assert Resume(folder).load() == {"epoch": 9}
