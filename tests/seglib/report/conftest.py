"""Results in a folder of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seglib.report.results import Results, read_results
from tests import report_files
from tests.report_files import Made, write_files

IDS = tuple(f"case-{i:02d}" for i in range(24))
Write = Callable[..., Results]


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(inside: Path) -> Write:
    """Write the files of a run, by default of 24 cases with one class and without pictures, and read them."""

    def run(**options) -> Results:
        write_files(inside, Made(**{"ids": IDS, "drawn": 0, "thumbnails": False, **options}))
        return read_results()

    return run


@pytest.fixture
def draw(write: Write) -> Write:
    """The same with pictures."""
    return lambda **options: write(**{"drawn": 5, "thumbnails": True, **options})


@pytest.fixture
def params(write: Write) -> dict:
    """The parameters beside the files of the default run."""
    write()
    return report_files.params()
