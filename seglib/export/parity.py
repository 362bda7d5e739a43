"""Whether a model in another format is still the model: Dice and probabilities beside those of the torch model.

Dice is that of `seglib.metrics`, at the images' own size, with the plain mask: no views, no post-processing. Its drop
is that of the mean, as `seglib.compare` computes it: the same images, with a group counting as one. A variant is
judged beside the torch model that it was made of, the trained or the pruned one.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from seglib.compare.differences import Pair
from seglib.errors import SegError
from seglib.export.candidates import Candidate
from seglib.export.variants import TRAINED
from seglib.intensity import Intensity
from seglib.io.sample import Sample
from seglib.mask_values import mask_of
from seglib.metrics import count
from seglib.paths import EXPORT, SOURCE
from seglib.statistics import Interval, mean_of_classes

TOLERANCE = 1e-3
"""Of a probability, in formats that compute in float32."""


@dataclass(frozen=True)
class Figures:
    """What a model is worth on the validation side."""

    dice: float
    drop: Interval
    """Dice of the trained model less its own."""
    origin: str
    """The model that it was made of; its own name for a torch model."""
    lost: Interval
    """Dice of its origin less its own, which is judged: what a smaller network loses is not the format's fault."""
    max_error: float
    """Largest difference of a probability from its origin's, at the model's size."""
    bytes: int
    exact: bool


def measure(candidates: Mapping[str, Candidate], samples: Sequence[Sample], confidence: float) -> dict[str, Figures]:
    """Predict every sample with every model; TRAINED and other origins stand before what was made of them.

    Raises SegError where a sample cannot be read or does not go with the model.
    """
    trained = candidates[TRAINED].predictor
    intensity = Intensity(trained.card.spec, trained.pixels)
    dice: dict[str, list[np.ndarray]] = {name: [] for name in candidates}
    errors = dict.fromkeys(candidates, 0.0)
    for sample in tqdm(samples, "compare", unit="image", disable=None):
        raw, truth = sample.read(trained.card.spec)
        image = intensity.apply(raw, intensity.limits(sample, raw))
        originals: dict[str, np.ndarray] = {}
        for name, candidate in candidates.items():
            found = candidate.predictor.predict(image, sample.spacing)
            original = originals.setdefault(candidate.origin, found.model_size)
            errors[name] = float(np.maximum(errors[name], np.abs(found.model_size - original).max()))
            head = candidate.predictor.card.head
            dice[name].append(count(truth, mask_of(found.own_size, head), head).dice)
    groups = [sample.group for sample in samples]
    means = {name: mean_of_classes(np.stack(found)).by_group(groups) for name, found in dice.items()}
    return {
        name: Figures(
            means[name].value,
            Pair((means[name],), (means[TRAINED],)).difference.interval(confidence),
            candidate.origin,
            Pair((means[name],), (means[candidate.origin],)).difference.interval(confidence),
            errors[name],
            candidate.bytes,
            candidate.exact,
        )
        for name, candidate in candidates.items()
    }


def refuse_others(figures: Mapping[str, Figures], max_dice_drop: float) -> None:
    """Raise SegError, with the figures of all, where a variant loses more Dice or differs more than it may."""
    if not (found := list(_failures(figures, max_dice_drop))):
        return
    told = "exported models that are not the model any more that they were made of:"
    lines = [told, *found, "all of them:", *table(figures)]
    raise SegError(
        "\n  ".join(lines) + "\ntake them out of export.variants, calibrate on more images (export.calibration), "
        f"or accept more (export.max_dice_drop); {EXPORT}/ holds the files of the last model that passed, if one did "
        f"({SOURCE} there says which)"
    )


def table(figures: Mapping[str, Figures]) -> Iterator[str]:
    """The figures in columns, a line a model, with a header."""
    width = max(map(len, figures))
    yield f"{'':{width}}    Dice     drop  (interval)            largest error        MB"
    for name, found in figures.items():
        low, high = found.drop.low, found.drop.high
        bounds = "" if low is None or high is None else f"({low:+z.4f} to {high:+z.4f})"
        yield (
            f"{name:{width}}  {found.dice:.4f}  {found.drop.value:+z.4f}  {bounds:20}  "
            f"{found.max_error:13.2e}  {found.bytes / 1e6:8.2f}"
        )


def _failures(figures: Mapping[str, Figures], max_dice_drop: float) -> Iterator[str]:
    for name, found in figures.items():
        if not math.isfinite(found.max_error):
            yield f"{name}: gives probabilities that are no numbers"
        elif found.exact and found.max_error > TOLERANCE:
            yield f"{name}: a probability differs by {found.max_error:.2g}; {TOLERANCE:g} is the most for its format"
        if not found.lost.value <= max_dice_drop:
            yield (
                f"{name}: Dice drops by {found.lost.value:.4f} from that of {found.origin}; export.max_dice_drop is "
                f"{max_dice_drop:g}"
            )
