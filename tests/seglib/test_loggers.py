"""What TensorBoard and DVCLive get of a training, also of one that was broken off and resumed."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import stages.train
from tests.project import Project

LOGS = Path("reports/train/logs/workspace")
FIGURES = ("train_loss", "val_loss", "val_dice", "lr")


@pytest.fixture
def project(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the finished project, as the current folder, that is to train three epochs."""
    project = Project(shutil.copytree(finished.root, tmp_path / "project", symlinks=True))
    project.set_params({"train.epochs": 3, "model.unet.dropout": 0.2, "optimizer.ema": 0.5})
    monkeypatch.chdir(project.root)
    return project


def board() -> EventAccumulator:
    events = EventAccumulator(str(LOGS / "tensorboard"))
    return events.Reload()


def curve(path: Path) -> dict[int, float]:
    """Of DVCLive's or the pipeline's own table, epoch and last column."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return {int(row[0]): float(row[-1]) for row in rows}


def break_off_after_epoch_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def log_epoch(_fabric, training, _card):
        if len(training.history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stages.train, "log_epoch", log_epoch)
        with pytest.raises(KeyboardInterrupt):
            stages.train.main()


def test_every_epochs_figures_and_picture_are_logged(project):
    stages.train.main()
    events = board()
    assert set(FIGURES) <= set(events.Tags()["scalars"])
    for name in FIGURES:
        assert [event.step for event in events.Scalars(name)] == [1, 2, 3]
    written = curve(Path("reports/train/plots/dice.tsv"))
    assert {event.step: event.value for event in events.Scalars("val_dice")} == pytest.approx(written, rel=1e-5)
    assert curve(LOGS / "dvclive/plots/metrics/val/dice.tsv") == pytest.approx(written, rel=1e-5)
    (tag,) = events.Tags()["images"]
    pictures = events.Images(tag)
    assert [event.step for event in pictures] == [1, 2, 3]
    picture = cv2.imdecode(np.frombuffer(pictures[-1].encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (32, 3 * 32 + 2 * 4, 3), "one validation case: input, truth, prediction"


def test_a_resumed_training_logs_the_earlier_epochs_again_and_ends_in_the_same_bytes(project, monkeypatch, capsys):
    stages.train.main()
    undisturbed = {path: Path(path).read_bytes() for path in ("models/best.pt", "models/last.pt")}
    plots = {path.name: path.read_bytes() for path in Path("reports/train/plots").iterdir()}
    break_off_after_epoch_2(monkeypatch)
    stages.train.main()
    assert "going on after epoch 2 of a training that was broken off" in capsys.readouterr().out
    for name in FIGURES:
        assert [event.step for event in board().Scalars(name)] == [1, 2, 3]
    assert list(curve(LOGS / "dvclive/plots/metrics/train/loss.tsv")) == [1, 2, 3]
    assert {path: Path(path).read_bytes() for path in undisturbed} == undisturbed
    assert {path.name: path.read_bytes() for path in Path("reports/train/plots").iterdir()} == plots
    assert not list(Path(".store/training").glob("*/state"))
