"""Where a running training can be watched: TensorBoard and DVCLive."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvclive.fabric import DVCLiveLogger
from lightning_fabric.loggers.logger import Logger
from lightning_fabric.loggers.tensorboard import TensorBoardLogger


@contextmanager
def open_loggers(folder: Path) -> Iterator[list[Logger]]:
    """Fabric's loggers, writing below `folder`, where they replace the last run's; closed at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    live = DVCLiveLogger(dir=str(folder / "dvclive"), dvcyaml=None, save_dvc_exp=False)
    board = TensorBoardLogger(root_dir=folder, name="tensorboard", version="")
    try:
        yield [live, board]
    finally:
        live.experiment.end()
        board.finalize("done")
