"""Fixtures shared by all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from seglib import download
from tests.project import REPOSITORY, STAGES, TINY, Project, make_images, make_project
from tests.server import FileServer, serve

OTHER_LOSS = '''"""A plug-in that is there but not selected."""

from seglib.sections.objective import Loss


class Params(Loss):
    """Options."""

    weight: float


def build(params, head, weights):
    """Never called."""
    raise NotImplementedError("selected by no test")
'''


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with `images/` and `masks/` of twelve small discs."""
    return make_images(tmp_path / "own data")


@pytest.fixture
def project(tmp_path: Path, images: Path) -> Project:
    """A checkout with tiny parameters on the folder of discs; nothing has run yet."""
    return make_project(tmp_path / "project", {**TINY, "data.path": str(images)})


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has run once, with a second, unselected loss; tests copy it or only read it."""
    root = tmp_path_factory.mktemp("finished")
    images = make_images(root / "images")
    project = make_project(root / "project", {**TINY, "data.path": str(images)})
    (project.root / "seglib/losses/other.py").write_text(OTHER_LOSS)
    project.set_params({"loss.other": {"weight": 1.0}})
    project.run("seg", "deps")
    assert project.repro().ran == list(STAGES)
    return project


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working folder; the number of threads is put back."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads from loopback that wait neither before another try nor long for a byte."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "PAUSE", 0.0)
    monkeypatch.setattr(download, "READ_TIMEOUT", 0.3)


@pytest.fixture
def server(request: pytest.FixtureRequest, hurried: None) -> Iterator[FileServer]:
    """A loopback server of the bytes that the test's module calls CONTENT."""
    with serve(request.module.CONTENT) as server:
        yield server


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the published archives; skips where there is none and none was asked for."""
    asked = os.environ.get("SEG_TEST_DATA")
    folder = Path(asked or REPOSITORY / "../shared/datasets").resolve()
    if asked and not folder.is_dir():
        pytest.fail(f"SEG_TEST_DATA is {asked}, which is no folder")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set SEG_TEST_DATA")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is left with it in the end."""
    long = ("test_readme", "test_hermetic", "test_incremental", "test_experiments")
    items.sort(key=lambda item: item.path.stem not in long)
