"""How a stage starts and ends: versions compared, problems told in one message, nothing lost.

`python -m seglib.stage NAME` runs `stages/NAME.py`, and imports it only then: code that cannot be imported loses
nothing either.
"""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from seglib.errors import SegError
from seglib.fingerprint import stage_versions
from seglib.paths import VERSIONS

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes of a process that SIGINT or SIGTERM ended."""
UNWRITABLE = {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EEXIST, errno.ENOTDIR}
PATIENCE = 60.0
"""Seconds in which the first process puts outputs back."""


def run_stage(name: str, main: Callable[[], None]) -> None:
    """Run the stage `name`; where it fails, put the outputs that DVC deleted back and exit with 1.

    A `SegError` prints its message alone; set SEG_TRACEBACK=1 for the traceback as well. Of several
    processes the first speaks for all, and puts back.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    first, parent = os.environ.get("LOCAL_RANK", "0") == "0", os.getppid()
    try:
        refuse_other_versions(name)
        main()
    except BaseException as error:
        if first:
            for lost in put_outputs_back():
                print(f"warning: {lost} is not in DVC's cache and could not be put back", file=sys.stderr)
        elif isinstance(error, SegError):
            _outlive(parent)
            sys.exit(1)
        if isinstance(error, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        message = _message(error)
        if not message or os.environ.get("SEG_TRACEBACK") == "1":
            raise
        sys.exit(f"error: {message}")


def _message(error: BaseException) -> str:
    """What a user can do something about; nothing where a traceback tells more."""
    if isinstance(error, SegError):
        return _own_words(error)
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return f"{error.filename or 'a file'} cannot be written ({error.strerror}); make room, or correct its rights"
    return ""


def _own_words(error: SegError) -> str:
    """Its message alone: torch puts the traceback before that of an error from one of a loader's workers."""
    kind = type(error)
    return str(error).rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2].rstrip()


def _outlive(parent: int) -> None:
    """Let the first process put the outputs back: it is killed as soon as another ends with an error."""
    until = time.monotonic() + PATIENCE
    while os.getppid() == parent and time.monotonic() < until:
        time.sleep(0.1)


def refuse_other_versions(stage: str) -> None:
    """Refuse to run with a library that is not the one that `versions.yaml` records for the stage.

    Its results would be kept, by DVC and in the store, as those of the recorded version.
    SEG_ANY_VERSION=1 runs all the same.
    """
    recorded = stage_versions(stage)
    installed = {name: version(name).partition("+")[0] for name in recorded}
    other = [
        f"{name} {installed[name]} (recorded: {recorded[name]})"
        for name in recorded
        if installed[name] != recorded[name]
    ]
    if other and os.environ.get("SEG_ANY_VERSION") != "1":
        raise SegError(
            f"installed is {', '.join(other)}; run `make repro` to install what {VERSIONS} records, "
            "or `make lock deps` to record what is installed"
        )


def put_outputs_back() -> list[str]:
    """Check out the running DVC stage's last outputs, over whatever the failed run wrote.

    DVC deletes a stage's outputs before it runs. `dvc.lock` still names the last good ones while the
    stage runs, so they come back from DVC's cache. Returns those that are not in it.
    """
    if "DVC_STAGE" not in os.environ or not Path(".dvc").is_dir():
        return []
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    lost: list[str] = []
    with Repo() as repo:
        for out in repo.stage.load_one(name=os.environ["DVC_STAGE"].rpartition(":")[2]).outs:
            if not out.hash_info:
                continue
            out.use_cache = True
            try:
                out.checkout(force=True)
            except (DvcException, FileNotFoundError):
                lost.append(str(out))
    return lost


if __name__ == "__main__":
    run_stage(sys.argv[1], lambda: import_module(f"stages.{sys.argv[1]}").main())
