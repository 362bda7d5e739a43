"""Figures of a test side, made up; imports little, for a stage that must take no time."""

from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from seglib.case_table import CaseTable, case_name, write_cases
from seglib.measures import COLUMNS, COUNTS

CASES, GROUPS = 40, 20


def measure(ids: tuple[str, ...] = ()) -> None:
    """What the stage does: figures and pictures that follow from `train.gain` and `train.seed`."""
    train = YAML(typ="safe", pure=True).load(Path("params.yaml"))["train"]
    table = made_up(train["gain"], train["seed"], ids)
    folder = Path("reports/evaluate")
    (folder / "thumbnails").mkdir(parents=True, exist_ok=True)
    write_cases(folder / "cases.csv", table)
    dice = float(table.columns["dice"].mean())
    (folder / "metrics.json").write_text(f'{{"conventions": 1, "n": {len(table.ids)}, "dice": {dice}}}\n')
    for key in table.ids[1:]:
        picture = folder / f"thumbnails/{case_name(key)}.webp"
        picture.write_bytes(f"{key} of gain {train['gain']}".encode())


def made_up(gain: float, seed: int = 0, ids: tuple[str, ...] = ()) -> CaseTable:
    """A table of one class: Dice 0.7 + gain on average; seeds differ by about 0.001, cases of one run by 0.1."""
    ids = ids or tuple(f"case{i:02d}" for i in range(CASES))
    noise = np.random.default_rng(1).normal(0, 0.1, (len(ids), 1))
    dice = 0.7 + gain + noise + np.random.default_rng(100 + seed).normal(0, 0.001, (len(ids), 1))
    dice = np.clip(dice, 0, 1).round(6)
    counts = np.full_like(dice, 100.0)
    columns = {name: counts if name in COUNTS else dice for name in COLUMNS}
    columns |= {"both": (100 * dice).round(), "lesions_false": np.zeros_like(dice)}
    groups = tuple(f"group{i % GROUPS}" for i in range(len(ids)))
    return CaseTable(ids, groups, ("polyp",), columns)
