"""What one case is worth: overlap, distances, objects and calibration of each foreground class.

Conventions, of which `CONVENTIONS` is the version. Figures of different versions cannot be compared.

- **Classes.** The background is never part of a mean over classes. Overlapping classes are measured each for itself,
  as if it were alone; they have no confusion matrix, and no figure with the background.
- **Ignored pixels** (mask value 255) are out of all counts, the confusion matrix and calibration. For distances and
  objects they are background in truth and prediction alike.
- **Absent from truth and prediction.** The class has no value in that case, neither 0 nor 1, and stays out of its
  means; the case is counted in `n_empty`. So it is where no pixel counts.
- **Absent from one of both**, so missed or invented as a whole. Dice, IoU, precision, recall and NSD are 0, so all are
  means over the same cases (scikit-learn's `zero_division=0`). HD95 and ASSD, for which there is no distance, are the
  diagonal of the image at its own size, the longest distance that it holds. `n_missed` counts the cases in which the
  truth shows the class and no pixel of it is found, whatever is predicted elsewhere.
- **Distances** are in mm where the spacing of every test case is known, else in pixels (`distances_in_mm`); the
  boundary, HD95, NSD and ASSD are those of `seglib.distances`. A distance that equals the tolerance is within it.
- **Volume difference** is (prediction - truth) / truth in pixels, with its sign, so too much and too little cancel
  out in its mean; without a value where the truth is empty.
- **Calibration** is the class-wise expected error of `seglib.calibration` over the case's pixels that count.
- **Objects** are those of `seglib.lesions`. Over all cases, recall is the share of the truth's objects that are
  found, precision the share of predicted objects that are not false, and F1 is 2 TP / (2 TP + FN + FP) of objects
  found (TP), missed (FN) and false (FP).
- **Means** (`dice`) average over the cases that have a value, then over the classes. **Pooled** figures
  (`dice_pooled`) divide sums over all cases, then average over the classes; a class whose divisor is 0, as for the
  precision of a class that is never predicted, stays out. `pixel_accuracy` and `iou_pooled_with_background` are
  pooled, too; the latter averages over all classes.
- **At model size** (`dice_at_model_size`): the prediction as the network gives it, against the truth resized as for
  training. What resizing makes vanish has no value there, so these means may be over fewer cases. Everything else is
  measured at the image's own size.
- **n.** Beside each mean stands the number of values it is over: `dice_n`, cases times the classes that have one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from seglib.calibration import Reliability, class_reliability, stacked
from seglib.distances import SurfaceDistances, surface_distances
from seglib.head import Head
from seglib.io.planes import class_planes
from seglib.io.sample import IGNORE
from seglib.lesions import compare_lesions
from seglib.measures import AT_MODEL_SIZE

CONVENTIONS = 1
OVERLAP = ("dice", "iou", "precision", "recall", "volume_difference", "both", "truth", "guess")
"""Figures that follow from counts of pixels."""


@dataclass(frozen=True)
class Counts:
    """Pixels a foreground class of one case: in both maps, in the truth, in the prediction; int64 [classes]."""

    both: np.ndarray
    truth: np.ndarray
    guess: np.ndarray

    @property
    def dice(self) -> np.ndarray:
        """2 |P ∩ T| / (|P| + |T|) (Dice, Ecology 26, 1945)."""
        return self._share(2 * self.both, self.truth + self.guess)

    @property
    def iou(self) -> np.ndarray:
        """|P ∩ T| / |P ∪ T| (Jaccard, 1901)."""
        return self._share(self.both, self.truth + self.guess - self.both)

    @property
    def precision(self) -> np.ndarray:
        """|P ∩ T| / |P|."""
        return self._share(self.both, self.guess)

    @property
    def recall(self) -> np.ndarray:
        """|P ∩ T| / |T|."""
        return self._share(self.both, self.truth)

    @property
    def volume_difference(self) -> np.ndarray:
        """(|P| - |T|) / |T|."""
        return np.where(self.truth > 0, (self.guess - self.truth) / np.maximum(self.truth, 1), np.nan)

    @property
    def present(self) -> np.ndarray:
        """Which classes truth or prediction shows."""
        return self.truth + self.guess > 0

    def _share(self, part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.where(self.present, part / np.maximum(whole, 1), np.nan)


@dataclass(frozen=True)
class Measured:
    """The figures of one case."""

    values: Mapping[str, np.ndarray]
    """Every name of MEASURES and COUNTS → float64 [foreground classes], nan where there is no value."""
    confusion: np.ndarray | None
    """Pixels by truth and prediction, int64 [classes, classes]; None where classes overlap."""
    pixels: int
    """That count."""
    reliability: Reliability
    """Bins of each foreground class."""


def measure(
    truth: np.ndarray,
    guess: np.ndarray,
    probabilities: np.ndarray,
    head: Head,
    *,
    spacing: tuple[float, ...] | None,
    tolerance: float,
) -> Measured:
    """Compare two masks of one shape, mask values uint8 [*shape], with the probabilities, float32 [planes, *shape].

    `tolerance`: of NSD, in mm where the `spacing` is known, else in pixels.
    Raises SegError where a probability is not finite.
    """
    counts = truth != IGNORE
    guess = np.where(counts, guess, 0).astype(np.uint8)
    sides = spacing or (1.0,) * truth.ndim
    shapes, bins = [], []
    for (there, found), probability in zip(_pairs(truth, guess, head), probabilities[head.foreground], strict=True):
        distances, lesions = _distances(there, found, sides, tolerance), compare_lesions(there, found)
        shapes.append(distances._asdict() | lesions._asdict())
        bins.append(class_reliability(probability[counts], there[counts]))
    counted, reliability = count(truth, guess, head), stacked(bins)
    values = {name: getattr(counted, name) for name in OVERLAP}
    values |= {name: np.array([shape[name] for shape in shapes]) for name in shapes[0]}
    values["calibration_error"] = np.where(counted.present, reliability.error, np.nan)
    return Measured(
        {name: found.astype(np.float64) for name, found in values.items()},
        None if head.overlapping else confusion(truth, guess, head.classes),
        int(np.count_nonzero(counts)),
        reliability,
    )


def at_model_size(truth: np.ndarray, guess: np.ndarray, head: Head) -> dict[str, np.ndarray]:
    """Dice and IoU of two masks of the network's size: AT_MODEL_SIZE → float64 [foreground classes]."""
    counted = count(truth, guess, head)
    return dict(zip(AT_MODEL_SIZE, (counted.dice, counted.iou), strict=True))


def count(truth: np.ndarray, guess: np.ndarray, head: Head) -> Counts:
    """Count the pixels of the foreground classes in two masks of one shape."""
    if not head.overlapping:
        table = confusion(truth, guess, head.classes)
        return Counts(table.diagonal()[1:], table.sum(1)[1:], table.sum(0)[1:])
    guess = np.where(truth == IGNORE, 0, guess)
    sums = [(np.sum(there & found), np.sum(there), np.sum(found)) for there, found in _pairs(truth, guess, head)]
    return Counts(*np.array(sums, np.int64).T)


def confusion(truth: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    """Pixels of each class of the truth (rows) by the class that is predicted (columns), int64 [classes, classes]."""
    counts = truth != IGNORE
    cells = truth[counts].astype(np.int64) * classes + guess[counts]
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def _pairs(truth: np.ndarray, guess: np.ndarray, head: Head) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Truth and prediction of each foreground class, bool."""
    planes = (class_planes(mask, head.classes, overlapping=head.overlapping) for mask in (truth, guess))
    return islice(zip(*planes, strict=True), 1, None)


def _distances(truth: np.ndarray, guess: np.ndarray, spacing: tuple[float, ...], tolerance: float) -> SurfaceDistances:
    shown = truth.any(), guess.any()
    if all(shown):
        return surface_distances(truth, guess, spacing, tolerance)
    if not any(shown):
        return SurfaceDistances(np.nan, np.nan, np.nan)
    diagonal = float(np.linalg.norm(np.multiply(truth.shape, spacing)))
    return SurfaceDistances(hd95=diagonal, nsd=0.0, assd=diagonal)
