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
        refuse_other_versions(name)
        main()
    except BaseException as error:
        for lost in put_outputs_back():
            print(f"warning: {lost} is not in DVC's cache and could not be put back", file=sys.stderr)
        if not isinstance(error, SegError) or os.environ.get("SEG_TRACEBACK") == "1":
            raise
        sys.exit(f"error: {error}")


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
