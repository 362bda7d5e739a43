"""The threshold with the best Dice, chosen on the validation side and never on the test side.

Each case leaves its Dice at every threshold of the grid, counted from a histogram of its probabilities, so
that no map is kept.
"""

import numpy as np

from seglib.errors import SegError
from seglib.head import Head
from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE
from seglib.mask_values import has_threshold

STEPS = 20
GRID = np.arange(1, STEPS) / STEPS
"""0.05, 0.10 … 0.95."""


class ThresholdSearch:
    """Fed with cases, tells at which threshold `mask_of` is best; post-processing is left out of account."""

    def __init__(self, head: Head) -> None:
        """`head` must have a threshold."""
        assert has_threshold(head)
        self.head = head
        self._dice: list[np.ndarray] = []

    def add(self, probabilities: np.ndarray, truth: np.ndarray) -> None:
        """Count a case: float32 [planes, *shape], and mask values [*shape], of which 255 does not count."""
        counts = truth != IGNORE
        _, *classes = class_planes(truth, self.head.classes, overlapping=self.head.overlapping)
        best = probabilities.argmax(0) if self.head.sigmoid and not self.head.overlapping else None
        rows = []
        for index, (plane, inside) in enumerate(zip(probabilities[self.head.foreground], classes, strict=True)):
            eligible = counts if best is None else counts & (best == index)
            steps = np.searchsorted(GRID.astype(np.float32), plane[eligible])
            rows.append(_dice(_above(steps), _above(steps[inside[eligible]]), int(inside.sum())))
        self._dice.append(np.stack(rows))

    def scores(self) -> np.ndarray:
        """Mean Dice at each threshold of GRID, float64: the mean over classes of the means over cases.

        A case has no value for a class that neither truth nor prediction shows; nan where no case has one.
        """
        return _mean(_mean(np.stack(self._dice)))

    def best(self) -> float:
        """The threshold with the highest mean Dice; of equal ones the nearest to one half, then the lower.

        Raises SegError where no case shows a class.
        """
        scores = self.scores() if self._dice else np.full(len(GRID), np.nan)
        if np.isnan(scores).all():
            raise SegError(
                "predict.threshold: auto needs validation masks that show a foreground class, found none; set a number"
            )
        order = sorted(range(len(GRID)), key=lambda i: (abs(2 * (i + 1) - STEPS), i))
        return float(GRID[max(order, key=lambda i: np.nan_to_num(scores[i], nan=-1))])


def _above(steps: np.ndarray) -> np.ndarray:
    """How many values lie above each threshold, from how many thresholds lie below each value."""
    return np.bincount(steps, minlength=STEPS)[::-1].cumsum()[::-1][1:]


def _dice(guess: np.ndarray, both: np.ndarray, truth: int) -> np.ndarray:
    """2 |P ∩ T| / (|P| + |T|) (Dice, Ecology 26, 1945); nan where both are empty."""
    total = guess + truth
    return np.divide(2 * both, total, out=np.full(len(total), np.nan), where=total > 0)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is no nan; nan where nothing is."""
    known = ~np.isnan(values)
    number = known.sum(0)
    return np.divide(np.where(known, values, 0).sum(0), number, out=np.full(number.shape, np.nan), where=number > 0)
