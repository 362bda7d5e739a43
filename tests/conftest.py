"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

from tests.project import REPOSITORY, TINY, Project, make_images, make_project


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with `images/` and `masks/` of twelve small discs."""
    return make_images(tmp_path / "own data")


@pytest.fixture
def project(tmp_path: Path, images: Path) -> Project:
    """A checkout with tiny parameters on the folder of discs; nothing has run yet."""
    return make_project(tmp_path / "project", {**TINY, "data.path": str(images)})


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the published archives; skips where there is none."""
    folder = Path(os.environ.get("SEG_TEST_DATA", REPOSITORY / "../shared/datasets")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set SEG_TEST_DATA")
    return folder
