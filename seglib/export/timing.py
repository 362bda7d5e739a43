"""How long models take, side by side in one run, and how much memory each holds.

Each model has a process of its own, so that no runtime's threads or memory are another's. They take turns, one at a
time, so that whatever else the machine does slows all of them.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from seglib.errors import SegError
from seglib.export import timed

BATCHES = (1, 8)
RUNTIMES = ("torch", "onnxruntime", "openvino", "tensorrt")


@dataclass(frozen=True)
class Runner:
    """A model file, and the device that it runs on."""

    file: Path
    device: torch.device


@dataclass(frozen=True)
class TimedProcess:
    """A process of `seglib.export.timed`, which works only while it is asked."""

    model: Path
    process: subprocess.Popen[str]

    def milliseconds(self, batch: int) -> list[float]:
        """Of some calls with a batch of that many images."""
        with suppress(BrokenPipeError):  # the missing answer tells
            print(batch, file=self.process.stdin, flush=True)
        return self.answer()

    def finish(self) -> float:
        """End it; returns the most megabytes that it held."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.answer()

    def answer(self) -> Any:
        """What it says next; raises SegError where it has ended."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SegError(
                f"{self.model}: cannot be timed, its process ended with {self.process.wait()} (what it said stands "
                "above); free some memory if that is lacking, or set export.rounds: 0"
            )
        return json.loads(line)


@contextmanager
def started(runner: Runner, image: Path, threads: int) -> Iterator[TimedProcess]:
    """A fresh process, once its model is open."""
    arguments = [str(runner.file), str(image), str(runner.device), str(threads)]
    command = [sys.executable, "-m", timed.__name__, *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # noqa: S603  (ourselves)
        try:
            found = TimedProcess(runner.file, process)
            found.answer()
            yield found
        finally:
            process.kill()


def time_models(runners: Mapping[str, Runner], image: np.ndarray, threads: int, rounds: int) -> dict[str, Any]:
    """What `timing.json` holds, for batches of copies of a raw image [channels, *space].

    Memory is that of a whole process with Python and the libraries. Raises SegError where a process dies.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "image.npy"
        np.save(file, image)
        processes = {name: stack.enter_context(started(runner, file, threads)) for name, runner in runners.items()}
        taken: dict[tuple[str, int], list[float]] = {(name, batch): [] for name in processes for batch in BATCHES}
        for _ in tqdm(range(rounds), "time", unit="round", disable=None):
            for name, batch in taken:
                taken[name, batch] += processes[name].milliseconds(batch)
        figures: dict[str, Any] = {
            name: {f"batch_{batch}": _summary(taken[name, batch], batch) for batch in BATCHES}
            | {"peak_memory_mb": round(process.finish(), 1)}
            for name, process in processes.items()
        }
    return figures | {"host": _host(threads)}


def _summary(taken: list[float], batch: int) -> dict[str, float]:
    median = float(np.median(taken))
    return {
        "median_ms": round(median, 3),
        "p95_ms": round(float(np.percentile(taken, 95)), 3),
        "images_per_second": round(1000 * batch / median, 2),
    }


def _host(threads: int) -> dict[str, Any]:
    """What the figures depend on."""
    host = {"cpu": _cpu(), "cores": os.cpu_count() or 1, "threads": threads, "versions": _versions()}
    return host | ({"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {})


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _versions() -> dict[str, str]:
    found = {}
    for name in RUNTIMES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
