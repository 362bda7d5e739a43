"""Case tables made of a few numbers."""

import numpy as np

from seglib.case_table import CaseTable
from seglib.measures import COLUMNS


def table(dice, ids=None, groups=None, classes=("polyp",), **columns):
    """Figures that all are worth the same as Dice, but for those named; [cases] or [cases, classes]."""
    dice = np.asarray(dice, np.float64).reshape(-1, len(classes))
    ids = ids or [f"case{i:02d}" for i in range(len(dice))]
    named = {name: np.asarray(values, np.float64).reshape(dice.shape) for name, values in columns.items()}
    found = {name: named.get(name, dice) for name in COLUMNS}
    return CaseTable(tuple(ids), tuple(groups or ids), tuple(classes), found)
