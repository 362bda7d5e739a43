"""Samples predicted and compared with their masks, one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from seglib.errors import SegError, listing
from seglib.evaluation import Case
from seglib.inference import Prediction, Predictor
from seglib.intensity import Intensity
from seglib.io.sample import Sample, Spec
from seglib.mask_values import mask_of
from seglib.metrics import at_model_size, count, measure
from seglib.postprocessing import Changes
from seglib.threshold import ThresholdSearch


class Segmented(NamedTuple):
    """A sample at its own size."""

    image: np.ndarray
    """[*shape, channels], clipped as for training."""
    truth: np.ndarray
    """Mask values, uint8 [*shape]."""
    guess: np.ndarray
    """The same, predicted."""


@dataclass(frozen=True)
class Compared:
    """A measured sample, and what post-processing did to it."""

    case: Case
    changes: Changes
    dice_before: np.ndarray
    """Before post-processing, float64 [foreground classes]."""


class Evaluator:
    """Predicts samples of a data set and measures them; `tolerance` is that of NSD."""

    def __init__(self, predictor: Predictor, spec: Spec, tolerance: float, *, in_mm: bool) -> None:
        """Predict with `predictor`; samples must fit `spec`, and have a spacing where distances are to be in mm.

        Raises SegError where the model's classes are not those of `spec`.
        """
        card = predictor.card
        if (card.spec.classes, card.overlapping) != (spec.classes, spec.overlapping):
            raise SegError(
                f"the model knows the classes {listing(card.classes)}, the data has "
                f"{listing([each.name for each in spec.classes])}, or they differ in colour or overlap; "
                "run `dvc repro train`"
            )
        self.predictor, self.spec, self.tolerance, self.in_mm = predictor, spec, tolerance, in_mm
        self.head = predictor.card.head
        self._intensity = Intensity(spec, predictor.pixels)

    def threshold(self, validation: Sequence[Sample]) -> float:
        """The threshold that the settings give, or the best one of the validation side."""
        chosen = self.predictor.settings.threshold
        if chosen != "auto":
            return chosen
        search = ThresholdSearch(self.head)
        for sample in tqdm(validation, "choose the threshold", unit="image", disable=None):
            _, truth, prediction = self._predict(sample)
            search.add(prediction.own_size, truth)
        return search.best()

    def compare(self, sample: Sample, threshold: float) -> tuple[Compared, Segmented]:
        """Predict and measure a sample.

        Raises SegError where it cannot be read or does not go with the model.
        """
        image, truth, prediction = self._predict(sample)
        plain = mask_of(prediction.own_size, self.head, threshold)
        guess, changes = self.predictor.clean(plain)
        spacing = sample.spacing if self.in_mm else None
        measured = measure(truth, guess, prediction.own_size, self.head, spacing=spacing, tolerance=self.tolerance)
        small = mask_of(prediction.model_size, self.head, threshold)
        at_size = at_model_size(prediction.truth_at_model_size(truth), small, self.head)
        case = Case(sample.id, sample.group, measured, at_size)
        before = measured.values["dice"] if changes == Changes() else count(truth, plain, self.head).dice
        return Compared(case, changes, before), Segmented(image, truth, guess)

    def _predict(self, sample: Sample) -> tuple[np.ndarray, np.ndarray, Prediction]:
        raw, truth = sample.read(self.spec)
        image = self._intensity.apply(raw, self._intensity.limits(sample, raw))
        return image, truth, self.predictor.predict(image, sample.spacing)
