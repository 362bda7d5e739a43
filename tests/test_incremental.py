"""Any change reruns only the affected stages, and ends where a clean build ends."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.project import STAGES, Project, write_pair

COMMENT = "\n# a comment\n"


SLOW = (pytest.mark.slow,)


@dataclass(frozen=True)
class Row:
    """An edit, the stages that must run, and those whose unchanged inputs let DVC skip them."""

    name: str
    edit: Callable[[Project, Path], None]
    runs: list[str] = field(default_factory=list)
    marks: tuple[pytest.MarkDecorator, ...] = ()


def set_param(key: str, value: object) -> Callable[[Project, Path], None]:
    return lambda project, _: project.set_params({key: value})


def append(path: str, text: str = COMMENT) -> Callable[[Project, Path], None]:
    return lambda project, _: project.append(path, text)


def replace(path: str, old: str, new: str) -> Callable[[Project, Path], None]:
    def edit(project: Project, _: Path) -> None:
        file = project.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return edit


def remove_case(_: Project, images: Path) -> None:
    for folder in ("images", "masks"):
        (images / folder / "case03.png").unlink()


def swap_classes(project: Project, _: Path) -> None:
    names = [{"name": "foreground", "value": 255}, {"name": "background", "value": 0}]
    project.set_params({"data.folder.classes": names})


ROWS = [
    Row("nothing", lambda _project, _images: None),
    Row("a comment in README", append("README.md")),
    Row("train.lr", set_param("train.lr", 0.001), ["config", "train", "evaluate"]),
    Row("image_size", set_param("preprocess.image_size", 48), ["config", "preprocess", "check", "train", "evaluate"]),
    Row("split.seed", set_param("split.seed", 3), ["config", "split", "train", "evaluate"]),
    Row("an accepted finding", append("accepted.txt", "empty_mask case03\n"), ["check"]),
    Row("code of the quality gate", append("seglib/quality.py"), ["check"], marks=SLOW),
    Row("the folds", set_param("split.folds", 4), ["config", "split", "train", "evaluate"], marks=SLOW),
    Row("preprocess.backend", set_param("preprocess.scheduler", "tcp://x:1"), ["config"], marks=SLOW),
    Row("evaluate.overlays", set_param("evaluate.overlays", 1), ["config", "evaluate"]),
    Row("selected augmentation", set_param("augment.mri", []), ["config", "train", "evaluate"]),
    Row("unselected augmentation", set_param("augment.endoscopy", []), ["config"], marks=SLOW),
    Row("option of an unselected plug-in", set_param("data.kvasir.threshold", 100), ["config"]),
    Row("classes in another order", swap_classes, ["config", *STAGES[2:]]),
    Row("train.workers", set_param("train.workers", 1), ["config"]),
    Row("the bound of the store", set_param("preprocess.store_limit_gb", 9.0), ["config"], marks=SLOW),
    Row("code of an unselected plug-in", append("seglib/datasets/kvasir.py"), ["config"]),
    Row("code of the selected model", append("seglib/models/unet.py"), ["config", "train", "evaluate"]),
    Row("a loss", replace("seglib/masked_losses.py", "batch=True", "batch=False"), ["train", "evaluate"]),
    Row("a comment in a loss", append("seglib/losses/dice_ce.py"), ["config", "train"], marks=SLOW),
    Row("metrics.py", append("seglib/metrics.py"), ["evaluate"]),
    Row("a library of training", replace("versions.yaml", "albucore: '", "albucore: '9."), ["train", "evaluate"]),
    Row("an image changed", lambda _, images: write_pair(images, "case03", seed=99), list(STAGES[2:])),
    Row("an image added", lambda _, images: write_pair(images, "case99", seed=99), list(STAGES[2:])),
    Row("an image removed", remove_case, list(STAGES[2:])),
]


@pytest.fixture
def images(finished: Project, tmp_path: Path) -> Iterator[Path]:
    """The user's folder, which is put back after the test."""
    folder = finished.root.parent / "images"
    shutil.copytree(folder, tmp_path / "kept")
    yield folder
    shutil.rmtree(folder)
    shutil.move(tmp_path / "kept", folder)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, cache and store included."""
    shutil.copytree(finished.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name, marks=row.marks) for row in ROWS])
def test_edit_reruns_exactly_the_affected_stages(project: Project, images: Path, tmp_path: Path, row: Row) -> None:
    row.edit(project, images)
    again = project.repro(SEG_ANY_VERSION="1")
    assert again.ran == row.runs
    assert again.skipped == [stage for stage in STAGES if stage not in row.runs]
    assert again.restored == []
    clean = project.clone(tmp_path / "clean")
    assert clean.repro(SEG_ANY_VERSION="1").ran == list(STAGES)
    assert clean.outputs() == project.outputs()


def test_edit_taken_back_is_restored_from_the_run_cache(project: Project) -> None:
    before = project.outputs()
    project.set_params({"train.lr": 0.001})
    assert project.repro().ran == ["config", "train", "evaluate"]
    project.set_params({"train.lr": 0.002})
    back = project.repro()
    assert (back.ran, back.restored) == ([], ["config", "train", "evaluate"])
    assert project.outputs() == before


def test_status_notices_a_changed_image(project: Project, images: Path) -> None:
    assert "up to date" in project.run("dvc", "status").stdout
    write_pair(images, "case03", seed=99)
    assert "preprocess" in project.run("dvc", "status").stdout
