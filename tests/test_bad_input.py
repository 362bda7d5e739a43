"""Each kind of bad input, as a user meets it: one message, and what was there before is still there."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from seglib.config import read_yaml
from tests.archives import BROKEN
from tests.project import Project


@pytest.fixture
def images(finished, tmp_path) -> Iterator[Path]:
    """The images that the finished project ran on, to be broken; they are whole again afterwards."""
    folder = Path(read_yaml(finished.root / "params.yaml")["data"]["path"])
    whole = shutil.copytree(folder, tmp_path / "whole")
    yield folder
    shutil.rmtree(folder) if folder.is_dir() else folder.unlink(missing_ok=True)
    shutil.move(whole, folder)


@pytest.fixture
def project(finished, images, tmp_path) -> Project:
    """A copy of the finished project, with its cache and its store."""
    return Project(shutil.copytree(finished.root, tmp_path / "project", symlinks=True))


def outputs(project: Project) -> dict[str, bytes]:
    """Every file that a stage wrote, but for times and events."""
    files = [file for folder in ("data", "models", "reports") for file in (project.root / folder).rglob("*")]
    found = {str(file.relative_to(project.root)): file.read_bytes() for file in files if file.is_file()}
    return {name: content for name, content in found.items() if not name.startswith("reports/train/logs")}


def fails(project: Project, stage: str, *said: str, changed: tuple[str, ...] = ()) -> None:
    """`dvc repro` stops in `stage` with one message; outputs are as before but for what is `changed`."""
    before = outputs(project)
    done = project.run("dvc", "repro", check=False)
    text = done.stdout + done.stderr
    assert done.returncode != 0, text
    assert f"failed to reproduce '{stage}'" in text
    assert "Traceback" not in text
    assert "warning: " not in text
    assert "\nerror: " in text
    for part in said:
        assert part in text, text
    after = outputs(project)
    assert after.keys() <= before.keys()
    assert [name for name, content in before.items() if after.get(name) != content and name not in changed] == []


def test_every_wrong_parameter_is_told_before_anything_is_deleted(project):
    project.set_params(
        {
            "data.name": "folders",
            "model.name": "unett",
            "loss.name": "dise_ce",
            "split.vall": 0.1,
            "train.epochs": "many",
            "train.lr": 1000,
            "preprocess.size": 64,
        }
    )
    fails(
        project,
        "config",
        "params.yaml has 8 problems",
        "data.name: no 'folders'; did you mean 'folder'?",
        "model.name: no 'unett'; did you mean 'unet'?",
        "loss.name: no 'dise_ce'; did you mean 'dice_ce'?",
        "split.vall: unknown parameter; did you mean 'val'?",
        "train.epochs: Input should be a valid integer (found 'many')",
        "train.lr: Input should be less than or equal to 10 (found 1000)",
        "preprocess.size: DVC's run cache ignores this key; name it otherwise",
        "preprocess.size: unknown parameter",
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("relative/dir", "data.path: must be absolute; write {root}/relative/dir (found 'relative/dir')"),
        ("/nowhere/at/all", "data.path: /nowhere/at/all does not exist"),
    ],
    ids=["relative", "missing"],
)
def test_a_path_that_leads_nowhere(project, path, said):
    project.set_params({"data.path": path})
    fails(project, "config", said.format(root=project.root))


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [("  path:", "  pth:", "'data.path'"), ("train:", "train: [", "params.yaml")],
    ids=["misspelt path", "malformed"],
)
def test_what_dvc_itself_cannot_read(project, wrong, right, said):
    params = project.root / "params.yaml"
    params.write_text(params.read_text().replace(wrong, right))
    before = outputs(project)
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert outputs(project) == before


def test_own_files_that_are_away_for_a_while(project, images, tmp_path):
    before = outputs(project)
    images.rename(tmp_path / "away")
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0
    assert f"No such file or directory: '{images}'" in done.stderr
    (tmp_path / "away").rename(images)
    assert project.repro().ran == []
    assert outputs(project) == before


@pytest.mark.parametrize("problem", BROKEN)
def test_a_broken_archive(project, images, problem):
    shutil.rmtree(images)
    images.write_bytes(BROKEN[problem])
    fails(project, "preprocess", f"error: {images}", problem)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


def shrink(file: Path) -> None:
    mask = cv2.imread(str(file))
    assert mask is not None
    cv2.imwrite(str(file), mask[:30])


def add_a_value(file: Path) -> None:
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    mask[0, :6] = 77
    cv2.imwrite(str(file), mask)


HARM: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "no mask": ("masks/case03.png", Path.unlink, "without mask: {images}/images/case03.png"),
    "no image": ("images/case03.png", Path.unlink, "without image: {images}/masks/case03.png"),
    "truncated image": ("images/case03.png", truncate, "{images}/images/case03.png: ends in mid-image"),
    "no image inside": (
        "masks/case03.png",
        lambda file: file.write_bytes(b"oops"),
        "{images}/masks/case03.png: not a readable image",
    ),
    "other size": ("masks/case03.png", shrink, "sample 'case03': the image has 48×40 pixels, its mask 48×30"),
    "other values": ("masks/case03.png", add_a_value, "{images}/masks/case03.png: mask values outside the declared"),
    "no folder": ("masks", shutil.rmtree, "{images}: expected the folders images and masks, found images"),
}
"""What happens to a file of the user's → which, how, and what the message says."""


@pytest.mark.parametrize("kind", HARM)
def test_a_broken_image(project, images, kind):
    file, harm, said = HARM[kind]
    harm(images / file)
    fails(project, "preprocess", said.format(images=images))


def test_a_data_set_too_small_for_the_split(project, images):
    for file in [*images.glob("*/case0[2-9].png"), *images.glob("*/case1?.png")]:
        file.unlink()
    changed = (*read_again(project), "data/quality.json", "reports/check/contact_sheet.png")
    fails(project, "split", "2 samples in 2 groups cannot be split", changed=changed)


def test_masks_without_any_foreground_stop_at_the_quality_gate(project, images):
    for file in images.glob("masks/*.png"):
        cv2.imwrite(str(file), np.zeros((40, 48), np.uint8))
    fails(project, "check", "no mask shows any class but the background", changed=read_again(project))


def test_every_bad_sample_is_told_at_once(project, images):
    for name in ("case01", "case04"):
        file = images / f"images/{name}.png"
        file.write_bytes(file.read_bytes()[:500])
    cv2.imwrite(str(images / "masks/case07.png"), np.full((40, 48), 7, np.uint8))
    fails(project, "preprocess", "3 of 12 samples", "case01.png: ends in mid", "case04.png", "classes: 7", "seg check")


def read_again(project: Project) -> tuple[str, ...]:
    """What preprocessing writes."""
    return "data/index.json", *(f"data/cache/{file.name}" for file in (project.root / "data/cache").iterdir())


def test_a_gpu_that_is_not_there(project, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    project.set_params({"train.device": "cuda"})
    fails(project, "train", "train.device: cuda, but this PyTorch sees no GPU; set it to auto or cpu")


def test_an_unknown_augmentation(project):
    project.set_params({"augment.mri": [{"HorizontalFlop": {"p": 0.5}}]})
    fails(project, "train", "has no 'HorizontalFlop'; did you mean 'HorizontalFlip'?")


ONE_STEP = {"train.batch_size": 64, "train.precision": "fp32"}
"""One step an epoch."""


def test_a_loss_that_is_no_number_from_the_start(project):
    project.set_params({**ONE_STEP, "loss.dice_ce.ce_weight": 1e39})
    fails(
        project, "train", "the loss is inf in epoch 1, step 1 of 1; no epoch was good enough to keep", "Lower train.lr"
    )


def test_a_loss_that_stops_being_a_number_keeps_the_last_good_model(project):
    absurd = {"train.lr": 1.0, "optimizer.weight_decay": 1e12, "scheduler.warmup": 0.0}
    project.set_params({**ONE_STEP, **absurd})
    fails(
        project,
        "train",
        "loss is nan in epoch 2, step 1 of 1; the best model so far (epoch 1, validation Dice 0.",
        "/reports/train/logs/workspace/last_good.pt",
    )
    project.run("python", "-c", _IS_FINITE)


_IS_FINITE = """
from pathlib import Path
from seglib.checkpoint import load_checkpoint
segmenter, _ = load_checkpoint(Path("reports/train/logs/workspace/last_good.pt"))
assert all(weights.isfinite().all() for weights in segmenter.parameters())
"""


def test_the_traceback_is_there_for_who_asks(project, images):
    (images / "masks/case03.png").unlink()
    done = project.run("python", "-m", "seglib.stage", "preprocess", check=False, SEG_TRACEBACK="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "without mask" in done.stderr


def test_code_that_cannot_be_imported_loses_nothing(project):
    before = outputs(project)
    page = project.root / "seglib/report/page.py"
    page.write_text(page.read_text() + "import seglib.no_such_module\n")
    done = project.run("dvc", "repro", check=False)
    assert "failed to reproduce 'report'" in done.stderr
    assert "No module named 'seglib.no_such_module'" in done.stderr
    assert outputs(project) == before
