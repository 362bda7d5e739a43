"""The command `seg predict` in a folder of its own, for its tests."""

import csv
from pathlib import Path

import cv2
import numpy as np

from seglib.cli import main


def seg_predict(*arguments: object) -> int | str | None:
    """Run the command; gives its exit code."""
    try:
        main(["predict", *map(str, arguments), "--threads", "1"])
    except SystemExit as stopped:
        return stopped.code
    return 0


def write_images(folder: Path | str, *names: str, shape: tuple[int, int] = (30, 40)) -> None:
    """Random photographs."""
    for seed, name in enumerate(names):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (*shape, 3)).astype(np.uint8))


def files(root: Path | str = "out") -> list[str]:
    """What lies below a folder."""
    return sorted(file.relative_to(root).as_posix() for file in Path(root).rglob("*") if file.is_file())


def table(path: Path | str = "out/cases.csv") -> list[dict[str, str]]:
    """The rows of a table."""
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))
