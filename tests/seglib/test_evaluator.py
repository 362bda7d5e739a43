from collections.abc import Sequence

import numpy as np
import pytest
import torch

from seglib.checkpoint import Card, build_segmenter
from seglib.config import read_yaml
from seglib.errors import SegError
from seglib.evaluator import Evaluator
from seglib.inference import Predictor
from seglib.io.sample import Sample
from seglib.sections.predict import Predict
from tests.model_cards import CARD, card
from tests.project import REPOSITORY


def evaluator(own: Card = CARD, *, in_mm: bool = False, **settings: object) -> Evaluator:
    torch.manual_seed(0)
    model = build_segmenter(own, torch.full((3,), 100.0), torch.full((3,), 50.0)).eval()
    predicting = Predict.model_validate(read_yaml(REPOSITORY / "params.yaml")["predict"] | settings)
    return Evaluator(Predictor([model], own, predicting, torch.device("cpu")), CARD.spec, 2.0, in_mm=in_mm)


def sample(seed: int = 0, spacing: Sequence[float] | None = None) -> Sample:
    random = np.random.default_rng(seed)
    image = random.integers(0, 255, (12, 16, 3)).astype(np.uint8)
    mask = np.zeros((12, 16), np.uint8)
    mask[3:8, 4:11] = 1
    return Sample("a", "b", lambda: image, lambda: mask, str, tuple(spacing) if spacing else None)


def test_a_sample_is_measured_at_its_own_size_and_at_the_models():
    measured, segmented = evaluator().compare(sample(), 0.5)
    assert (measured.case.id, measured.case.group) == ("a", "b")
    assert segmented.guess.shape == segmented.truth.shape == (12, 16)
    both = int(((segmented.guess == 1) & (segmented.truth == 1)).sum())
    assert measured.case.measured.values["both"].tolist() == [both]
    assert measured.case.measured.values["truth"].tolist() == [35]
    assert measured.case.at_model_size["dice_at_model_size"].shape == (1,)


def test_distances_are_in_mm_only_where_they_are_asked_for():
    asked = sample(spacing=(3.0, 3.0))
    pixels, mm = (evaluator(in_mm=in_mm).compare(asked, 0.5)[0].case.measured.values["hd95"] for in_mm in (False, True))
    np.testing.assert_allclose(mm, 3 * pixels)


def test_post_processing_is_told_apart_from_the_plain_mask():
    plain, _ = evaluator().compare(sample(), 0.5)
    cleaned, segmented = evaluator(min_pixels=10_000).compare(sample(), 0.5)
    assert not segmented.guess.any()
    assert cleaned.changes.objects > 0
    np.testing.assert_array_equal(cleaned.dice_before, plain.case.measured.values["dice"])
    assert cleaned.case.measured.values["dice"].tolist() == [0]


def test_the_threshold_is_given_or_chosen_from_the_validation_side():
    assert evaluator(threshold=0.3).threshold([]) == 0.3
    chosen = evaluator(threshold="auto")
    best = chosen.threshold([sample(1), sample(2)])

    def dice(threshold: float) -> float:
        given = evaluator(threshold=threshold)
        found = (given.compare(sample(seed), threshold)[0].case.measured.values["dice"][0] for seed in (1, 2))
        return float(np.mean(list(found)))

    assert dice(best) >= max(dice(0.25), dice(0.5), dice(0.75))


def test_a_model_of_other_classes_is_refused():
    names = ["background", "dark"]
    other = card(classes=[{"name": name, "colour": [0, 0, 0]} for name in names])
    with pytest.raises(SegError, match="classes background, dark, the data has background, bright, or"):
        evaluator(other)
