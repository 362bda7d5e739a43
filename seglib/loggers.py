"""Where a running training can be watched: TensorBoard and DVCLive."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvclive.fabric import DVCLiveLogger
from lightning_fabric import Fabric
from lightning_fabric.loggers.logger import Logger
from lightning_fabric.loggers.tensorboard import TensorBoardLogger
from lightning_fabric.utilities.rank_zero import rank_zero_only

from seglib.checkpoint import Card
from seglib.engine import Training
from seglib.mask_values import mask_of
from seglib.overlays import Palette
from seglib.panels import panel

DVCLIVE, TENSORBOARD = "dvclive", "tensorboard"


@contextmanager
def open_loggers(folder: Path) -> Iterator[list[Logger]]:
    """Fabric's loggers, writing below `folder`, where they replace the last run's; closed at the end.

    All else stays, such as the best model of a training that diverged.
    """
    if rank_zero_only.rank == 0:
        for name in (DVCLIVE, TENSORBOARD):
            shutil.rmtree(folder / name, ignore_errors=True)
    live = DVCLiveLogger(dir=str(folder / DVCLIVE), dvcyaml=None, save_dvc_exp=False)
    board = TensorBoardLogger(root_dir=folder, name=TENSORBOARD, version="")
    try:
        yield [live, board]
    finally:
        live.experiment.end()
        board.finalize("done")


def log_epoch(fabric: Fabric, training: Training, card: Card) -> None:
    """Log the last epoch's figures, and a picture of its validation for TensorBoard."""
    epoch = training.history[-1]
    fabric.log_dict(epoch.figures(), epoch.epoch)
    board = next((logger for logger in fabric.loggers if isinstance(logger, TensorBoardLogger)), None)
    if board is None or training.validation is None:
        return
    seen = training.validation.preview
    guesses = [mask_of(probabilities, card.head) for probabilities in seen.probabilities.numpy()]
    picture = panel(
        list(seen.images.numpy()), list(seen.masks.numpy()), guesses, Palette(card.colours, card.overlapping)
    )
    board.experiment.add_image("input, truth, prediction", picture, epoch.epoch, dataformats="HWC")
