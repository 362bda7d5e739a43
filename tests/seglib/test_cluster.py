"""Preprocessing on a real dask scheduler with two worker processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seglib.cluster import on_dask
from seglib.errors import SegError
from seglib.preprocessing import CacheBuilder
from tests.project import TINY, Project, make_images, make_project, write_pair

COMMAND = [sys.executable, "-m"]
AT_HOME = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
PARAMS = {
    **TINY,
    "data.name": "synthetic",
    "data.synthetic.count": 60,
    "data.synthetic.height": 800,
    "data.synthetic.width": 800,
    "preprocess.shards": 30,
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of generated images that take a while to compute."""
    return make_project(tmp_path / "project", PARAMS)


@contextmanager
def cluster(root: Path, folder: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A scheduler's address, and two workers that were started in `root`."""
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": root}
    scheduler = subprocess.Popen(
        [*COMMAND, "distributed.cli.dask_scheduler", *AT_HOME, "--scheduler-file", str(file)], **quiet
    )
    started = [scheduler]
    try:
        address = wait_for_address(file)
        options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
        workers = [
            subprocess.Popen([*COMMAND, "distributed.cli.dask_worker", address, *options], **quiet) for _ in range(2)
        ]
        started += workers
        wait_for_workers(address, 2)
        yield address, workers
    finally:
        for process in started:
            process.kill()
            process.wait()


def wait_for_address(file: Path) -> str:
    for _ in range(600):
        if file.exists() and file.stat().st_size:
            return json.loads(file.read_text())["address"]
        time.sleep(0.1)
    raise AssertionError("the scheduler did not start")


def wait_for_workers(address: str, number: int) -> None:
    from distributed import Client

    with Client(address, timeout=30) as client:
        client.wait_for_workers(number, timeout=60)


def cached(project: Project) -> dict[str, bytes]:
    files = [project.root / "data/index.json", *sorted((project.root / "data/cache").glob("*"))]
    return {file.name: file.read_bytes() for file in files}


def preprocess(project: Project) -> None:
    project.run("python", "-m", "seglib.stage", "download")
    project.run("python", "-m", "seglib.stage", "preprocess")


def test_two_workers_give_the_bytes_of_this_machines_threads_also_when_one_is_killed(project, tmp_path):
    preprocess(project)
    expected = cached(project)
    assert len(expected) > 20
    project.run("seg", "clean")
    with cluster(project.root, tmp_path) as (address, workers):
        project.set_params({"preprocess.backend": "dask", "preprocess.scheduler": address})
        preprocess(project)
        assert cached(project) == expected
        check_that_changed_code_is_refused(project)
        check_that_changed_files_are_seen(project, make_images(tmp_path / "own"))
        project.run("seg", "clean")
        project.run("python", "-m", "seglib.stage", "download")
        stage = subprocess.Popen(
            [sys.executable, "-m", "seglib.stage", "preprocess"], cwd=project.root, env=environment()
        )
        finished = project.root / ".store/shards"
        while len(list(finished.glob("*.pt"))) < 3:
            assert stage.poll() is None, "ended before a worker could be killed"
            time.sleep(0.01)
        assert len(list(finished.glob("*.pt"))) < 25
        workers[0].send_signal(signal.SIGKILL)
        assert stage.wait(timeout=120) == 0
        assert cached(project) == expected


def check_that_changed_code_is_refused(project: Project) -> None:
    code = project.root / "seglib/io/resize.py"
    before = code.read_bytes()
    code.write_bytes(before + b"# changed\n")
    done = project.run("python", "-m", "seglib.stage", "preprocess", check=False)
    code.write_bytes(before)
    assert done.returncode == 1
    assert "a dask worker still has the old code of seglib/io/resize.py; restart the workers" in done.stderr


def check_that_changed_files_are_seen(project: Project, own: Path) -> None:
    """The workers have read `own` once, when a file changes and one is added."""
    project.set_params({"data.name": "folder", "data.path": str(own)})
    preprocess(project)
    write_pair(own, "case03", seed=70)
    write_pair(own, "case12", seed=71)
    preprocess(project)
    seen = cached(project)
    assert [known["id"] for known in json.loads(seen["index.json"])["samples"]][-1] == "case12"
    project.run("seg", "clean")
    project.set_params({"preprocess.backend": "threads"})
    preprocess(project)
    assert seen == cached(project)
    project.set_params({"data.name": "synthetic", "data.path": "data/published", "preprocess.backend": "dask"})


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def test_a_worker_with_other_code_is_told(project, tmp_path):
    project.run("python", "-m", "seglib.stage", "download")
    with cluster(tmp_path, tmp_path) as (address, _):
        project.set_params({"preprocess.backend": "dask", "preprocess.scheduler": address})
        done = project.run("python", "-m", "seglib.stage", "preprocess", check=False)
    assert done.returncode == 1
    assert "a dask worker imports the code from" in done.stderr


def test_a_scheduler_that_is_not_there_is_told():
    tasks = on_dask({}, "tcp://127.0.0.1:9")
    with pytest.raises(SegError, match=r"no dask scheduler at tcp://127\.0\.0\.1:9"):
        list(tasks(CacheBuilder([], None, None, "", Path(), Path())))  # pyright: ignore[reportArgumentType]
