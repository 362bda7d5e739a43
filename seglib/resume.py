"""What a killed training needs to go on: its state after the last finished epoch, outside the outputs.

The folder is named by everything that decides the result, so another parameter, code, data, version or
device begins anew. Writing is atomic and checked by a digest. Locks that the kernel releases keep a second
trainer waiting, of the same run or in the same folder; such a one meets the other after its dvc was killed.
The first of the same run, if it succeeds, leaves its last state to those who wait.
"""

import hashlib
import io
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import psutil
import torch
from filelock import BaseFileLock, FileLock, Timeout

from seglib import store

KEPT_DAYS = 14
"""A state that nothing has touched for so long is of a run that was given up."""
STATE = "state"
LOCKS: set[BaseFileLock] = set()
"""Of this process. After an error they are held until it ends, since it still puts the stage's outputs back."""


class Resume:
    """The state of one training in `folder`; of several processes only the `first` locks, all may load."""

    def __init__(self, folder: Path, *, first: bool = True) -> None:
        """Name the folder; nothing is written yet."""
        self.folder, self.first = folder, first
        self.parent = os.getppid()

    @contextmanager
    def alone(self, barrier: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Wait until no other training of this run, or in this folder, goes on; all processes wait for the first."""
        with self._locks() if self.first else nullcontext():
            barrier()
            yield

    @contextmanager
    def _locks(self) -> Iterator[None]:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        _forget_old(self.folder.parent)
        waiting = self._mark(os.getpid())
        waiting.touch()
        here = hashlib.sha256(str(Path.cwd()).encode()).hexdigest()
        run = _lock(self.folder.with_suffix(".lock"), "another process trains this very run")
        place = _lock(self.folder.with_name(f"{here}.lock"), "another process trains another run in this folder")
        waiting.unlink(missing_ok=True)
        for torn in self.folder.glob(".new-*"):
            torn.unlink()  # by a writer that was killed
        yield
        place.release()
        run.release()

    def load(self) -> dict[str, Any] | None:
        """The state after the last finished epoch, on the CPU; None where there is none."""
        packed = store.load(self.folder, STATE)
        if packed is None:
            return None
        return torch.load(io.BytesIO(packed), map_location="cpu", weights_only=True)

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the state atomically."""
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        store.save(self.folder, STATE, buffer.getvalue())

    def best(self, epoch: int) -> Path:
        """Where the weights of an epoch lie that is the best so far."""
        return self.folder / f"best-{epoch}.pt"

    def keep_best(self, epoch: int) -> None:
        """Delete those of other epochs, also of one whose end a kill prevented."""
        for file in self.folder.glob("best-*.pt"):
            if file != self.best(epoch):
                file.unlink()

    def clear(self) -> None:
        """Delete the state, unless another process waits for it, or the parent, DVC, was killed and will run again."""
        if os.getppid() == self.parent and not any(
            _lives(mark) for mark in self.folder.parent.glob(self._mark("*").name)
        ):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _mark(self, process: object) -> Path:
        return self.folder.with_suffix(f".waits-{process}")


def _lock(file: Path, held: str) -> BaseFileLock:
    lock = FileLock(file, is_singleton=True)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"{held}; waiting for it to end", flush=True)
        lock.acquire(poll_interval=0.5)
    LOCKS.add(lock)
    return lock


def _lives(mark: Path) -> bool:
    return psutil.pid_exists(int(mark.suffix.rpartition("-")[2]))


def _forget_old(folder: Path) -> None:
    """Locks stay, empty as they are: a long training may hold one."""
    limit = time.time() - KEPT_DAYS * 86400
    for entry in folder.iterdir():
        with suppress(FileNotFoundError):  # another trainer was faster
            old = entry.stat().st_mtime < limit
            if old and entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif old and entry.suffix != ".lock":
                entry.unlink()
