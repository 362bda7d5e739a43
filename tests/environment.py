"""The tests' own virtual environment, lent to throw-away checkouts so that `make` installs nothing."""

import sys
from pathlib import Path

from tests.project import Project


def lend_environment(project: Project) -> None:
    """Give the checkout a `.venv/` of links and a stamp newer than the files that make watches."""
    folder = project.root / ".venv"
    folder.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (folder / name).symlink_to(Path(sys.prefix) / name)
    (folder / ".ready").touch()
