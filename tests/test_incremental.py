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
    compared: bool = True
    """Whether a clean build is compared, which takes longer than all the rest; the others are in a slow test."""


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


def every(*edits: Callable[[Project, Path], None]) -> Callable[[Project, Path], None]:
    def edit(project: Project, images: Path) -> None:
        for one in edits:
            one(project, images)

    return edit


WITHOUT_EFFECT = every(
    append("README.md"),
    append("seglib/datasets/kvasir.py"),
    append("seglib/models/segresnet.py"),
    append("seglib/losses/other.py"),
    set_param("data.kvasir.threshold", 100),
    set_param("model.segresnet.dropout", 0.1),
    set_param("augment.endoscopy", []),
    set_param("train.workers", 1),
    set_param("preprocess.store_limit_gb", 9.0),
    set_param("preprocess.scheduler", "tcp://x:1"),
)
"""A comment, code and options of plug-ins that are not selected, and what says only how to compute."""
DATA = [stage for stage in STAGES[2:] if stage != "weights"]
"""The stages that follow from the samples."""
FROM_TRAINING = ["train", "evaluate", "prune", "export", "report"]
"""Training, and the stages that follow from the model."""
ROWS = [
    Row("nothing", lambda _project, _images: None, marks=SLOW),
    Row("what has no effect on any output", WITHOUT_EFFECT, ["config"]),
    Row("train.lr", set_param("train.lr", 0.001), ["config", *FROM_TRAINING]),
    Row(
        "image_size",
        set_param("preprocess.image_size", 48),
        ["config", "preprocess", "check", *FROM_TRAINING],
        compared=False,
    ),
    Row("split.seed", set_param("split.seed", 3), ["config", "split", *FROM_TRAINING], compared=False),
    Row("an accepted finding", append("accepted.txt", "empty_mask case03\n"), ["check"], compared=False),
    Row("code of the quality gate", append("seglib/quality.py"), ["check"], marks=SLOW),
    Row("the folds", set_param("split.folds", 4), ["config", "split", *FROM_TRAINING], marks=SLOW),
    Row("evaluate.overlays", set_param("evaluate.overlays", 1), ["config", "evaluate", "report"], compared=False),
    Row("selected augmentation", set_param("augment.mri", []), ["config", *FROM_TRAINING], SLOW, compared=False),
    Row("classes in another order", swap_classes, ["config", *DATA], SLOW),
    Row(
        "a comment in the selected model",
        append("seglib/models/unet.py"),
        ["config", "train", "evaluate", "prune", "export"],
        SLOW,
        compared=False,
    ),
    Row(
        "an option of the selected model",
        set_param("model.unet.dropout", 0.1),
        ["config", "weights", *FROM_TRAINING],
        SLOW,
    ),
    Row("how encoder weights are brought", append("stages/weights.py"), ["weights"], marks=SLOW),
    Row("the running average", set_param("optimizer.ema", 0.5), ["config", *FROM_TRAINING], marks=SLOW),
    Row(
        "a loss",
        replace("seglib/region_losses.py", "DiceLoss(batch=True", "DiceLoss(batch=False"),
        FROM_TRAINING,
        compared=False,
    ),
    Row("a comment in a loss", append("seglib/losses/dice_ce.py"), ["config", "train", "prune"], marks=SLOW),
    Row("a comment in metrics.py", append("seglib/metrics.py"), ["evaluate", "export"], compared=False),
    Row(
        "a library of training",
        replace("versions.yaml", "albucore: '", "albucore: '9."),
        FROM_TRAINING,
        SLOW,
        compared=False,
    ),
    Row("an image changed", lambda _, images: write_pair(images, "case03", seed=99), DATA),
    Row("an image added", lambda _, images: write_pair(images, "case99", seed=99), DATA, marks=SLOW),
    Row("an image removed", remove_case, DATA, marks=SLOW),
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


def compare_with_a_clean_build(project: Project, root: Path) -> None:
    clean = project.clone(root)
    assert clean.repro(SEG_ANY_VERSION="1").ran == list(STAGES)
    assert clean.outputs() == project.outputs()


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name, marks=row.marks) for row in ROWS])
def test_edit_reruns_exactly_the_affected_stages(project: Project, images: Path, tmp_path: Path, row: Row) -> None:
    row.edit(project, images)
    again = project.repro(SEG_ANY_VERSION="1")
    assert again.ran == row.runs
    assert again.skipped == [stage for stage in STAGES if stage not in row.runs]
    assert again.restored == []
    if row.compared:
        compare_with_a_clean_build(project, tmp_path / "clean")


@pytest.mark.slow
@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS if not row.compared])
def test_edit_ends_where_a_clean_build_ends(project: Project, images: Path, tmp_path: Path, row: Row) -> None:
    row.edit(project, images)
    project.repro(SEG_ANY_VERSION="1")
    compare_with_a_clean_build(project, tmp_path / "clean")


def test_edit_taken_back_is_restored_from_the_run_cache(project: Project) -> None:
    before = project.outputs()
    project.set_params({"train.lr": 0.001})
    assert project.repro().ran == ["config", *FROM_TRAINING]
    project.set_params({"train.lr": 0.002})
    back = project.repro()
    assert (back.ran, back.restored) == ([], ["config", *FROM_TRAINING])
    assert project.outputs() == before


def test_status_notices_a_changed_image(project: Project, images: Path) -> None:
    assert "up to date" in project.run("dvc", "status").stdout
    write_pair(images, "case03", seed=99)
    assert "preprocess" in project.run("dvc", "status").stdout
