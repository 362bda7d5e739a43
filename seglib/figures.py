"""The figures of a test set that follow from `cases.csv`: means over the cases, and pooled ones."""

from collections.abc import Mapping

import numpy as np

from seglib.measures import OF_CASES, POOLED, Measure
from seglib.statistics import Ratio, Scale, mean_of_classes, ratio_of_sums


def figures(columns: Mapping[str, np.ndarray]) -> dict[str, Ratio]:
    """Each of FIGURES of the classes in the columns of a `CaseTable`, float64 [cases, classes]."""
    both, truth, guess = (columns[name] for name in ("both", "truth", "guess"))
    objects, found = columns["lesions"], columns["lesions_found"]
    guessed, false = columns["lesions_guessed"], columns["lesions_false"]
    pooled = (
        ratio_of_sums(2 * both, truth + guess),
        ratio_of_sums(both, truth + guess - both),
        ratio_of_sums(both, guess),
        ratio_of_sums(both, truth),
        ratio_of_sums(found, objects),
        ratio_of_sums(guessed - false, guessed),
        ratio_of_sums(2 * found, found + objects + false),
    )
    means = {measure.name: mean_of_classes(columns[measure.name], _scale(measure)) for measure in OF_CASES}
    return means | {measure.name: ratio for measure, ratio in zip(POOLED, pooled, strict=True)}


def _scale(measure: Measure) -> Scale:
    """Differences are of any sign; what has a unit is a distance; all others are shares."""
    if measure.better == 0:
        return Scale.ANY
    return Scale.AMOUNT if measure.unit else Scale.SHARE
