"""Kills its own process inside a write; `installed` gives the environment in which a project's stages load it.

SEG_TEST_KILL is "NAME:COUNT:SIGNAL": the process that is about to put the file NAME into place for the COUNTth
time sends itself the signal instead, and what it has written so far is torn in two. By SIGKILL it is gone, by
SIGSTOP it waits there to be killed.
"""

import os
import shutil
import signal
from pathlib import Path

VARIABLE = "SEG_TEST_KILL"


def installed(folder: Path, name: str, count: int, sent: signal.Signals = signal.SIGKILL) -> dict[str, str]:
    """Put this file where every Python process of the environment begins with it."""
    folder.mkdir()
    shutil.copy(__file__, folder / "sitecustomize.py")
    return {"PYTHONPATH": str(folder), VARIABLE: f"{name}:{count}:{sent.value}"}


def _arm(name: str, count: int, sent: int) -> None:
    replace = Path.replace

    def replace_or_die(self: Path, target: str | os.PathLike[str]) -> Path:
        nonlocal count
        count -= Path(target).name == name
        if count == 0 and Path(target).name == name:
            os.truncate(self, self.stat().st_size // 2)
            os.kill(os.getpid(), sent)
        return replace(self, target)

    Path.replace = replace_or_die


if __name__ == "sitecustomize" and VARIABLE in os.environ:
    _file, _count, _sent = os.environ[VARIABLE].split(":")
    _arm(_file, int(_count), int(_sent))
