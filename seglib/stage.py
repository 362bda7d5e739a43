"""How a stage starts and ends: versions compared, problems told in one message, nothing lost."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from seglib.errors import SegError
from seglib.fingerprint import stage_versions
from seglib.paths import VERSIONS


def run_stage(name: str, main: Callable[[], None]) -> None:
    """Run the stage `name`; where it fails, put the outputs that DVC deleted back and exit with 1.

    A `SegError` prints its message alone; set SEG_TRACEBACK=1 for the traceback as well.
    """
    try:
        warn_of_other_versions(name)
        main()
    except BaseException as error:
        for lost in put_outputs_back():
            print(f"warning: {lost} is not in DVC's cache and could not be put back", file=sys.stderr)
        if not isinstance(error, SegError) or os.environ.get("SEG_TRACEBACK") == "1":
            raise
        sys.exit(f"error: {error}")


def warn_of_other_versions(stage: str) -> None:
    """Warn where an installed library is not the one that `versions.yaml` records for the stage."""
    for name, recorded in stage_versions(stage).items():
        installed = version(name).partition("+")[0]
        if installed != recorded:
            print(
                f"warning: {name} {installed} is installed, {VERSIONS} records {recorded}: "
                "run `make repro`, or `make deps` after changing requirements.lock",
                file=sys.stderr,
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
            except DvcException:
                lost.append(str(out))
    return lost
