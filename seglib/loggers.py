"""Where a running training can be watched: TensorBoard and DVCLive."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvclive.fabric import DVCLiveLogger
from lightning_fabric.loggers.logger import Logger
from lightning_fabric.loggers.tensorboard import TensorBoardLogger


@contextmanager
def open_loggers(folder: Path) -> Iterator[list[Logger]]:
    """Fabric's loggers, writing below `folder`; closed at the end, whatever happens."""
    live = DVCLiveLogger(dir=str(folder / "dvclive"), dvcyaml=None, save_dvc_exp=False)
    board = TensorBoardLogger(root_dir=folder, name="tensorboard", version="")
    try:
        yield [live, board]
    finally:
        live.experiment.end()
        board.finalize("done")
