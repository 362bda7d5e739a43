"""Figures of models beside the trained one, and the gate."""

from pathlib import Path

import numpy as np
import pytest
import torch

from seglib.errors import SegError
from seglib.export.candidates import Candidate
from seglib.export.parity import Figures, measure, refuse_others, table
from seglib.inference import Predictor
from seglib.io.sample import Sample
from seglib.sections.predict import Predict
from seglib.statistics import Interval
from tests.model_cards import PLAIN_PREDICT, card

CPU = torch.device("cpu")


def model(cut=100.0, slope=1.0):
    """Foreground where the first channel is brighter than the cut."""

    def logits(images):
        bright = (images[:, 0].float() - cut) * slope
        return torch.stack([-bright, bright], 1)

    return logits


def candidate(predict, origin="torch", *, exact=False):
    predictor = Predictor([predict], card(image_size=1.0), Predict.model_validate(PLAIN_PREDICT), CPU)
    return Candidate(predictor, Path(__file__), origin, exact)


def samples(number=6, per_group=1):
    """Grey ramps whose brighter part is foreground from another column on in each."""

    def sample(i):
        ramp = np.broadcast_to(np.arange(0, 200, 10, dtype=np.uint8)[None, :, None], (8, 20, 3))
        mask = np.zeros((8, 20), np.uint8)
        mask[:, 9 + i :] = 1
        return Sample(f"s{i}", f"g{i // per_group}", lambda: np.array(ramp), lambda: mask, str)

    return [sample(i) for i in range(number)]


def measured(candidates, of=None):
    return measure(candidates, of or samples(), 0.95)


def width(interval):
    return interval.high - interval.low


def figures(lost=0.0, error=0.0, *, exact=False, drop=None, origin="torch"):
    """Of a variant, or of a model that is its own origin."""
    total = Interval(lost if drop is None else drop, None, None)
    return Figures(0.9, total, origin, Interval(lost, None, None), error, 1000, exact)


def test_the_same_model_loses_nothing():
    found = measured({"torch": candidate(model()), "onnx": candidate(model(), exact=True)})
    assert found["onnx"].dice == found["torch"].dice
    assert found["onnx"].drop == found["torch"].drop == Interval(0.0, 0.0, 0.0)
    assert found["onnx"].max_error == 0.0


def test_dice_is_that_of_masks_at_the_images_own_size():
    found = measured({"torch": candidate(model(cut=105.0))}, samples(1))
    assert found["torch"].dice == pytest.approx(2 * 9 / (9 + 11))


def test_a_drop_is_the_difference_of_the_means_and_its_interval_holds_it():
    found = measured({"torch": candidate(model()), "worse": candidate(model(cut=40.0))})
    worse = found["worse"]
    assert worse.drop.value == pytest.approx(found["torch"].dice - worse.dice)
    assert worse.drop.value > 0.05
    assert worse.drop.low is not None
    assert worse.drop.high is not None
    assert worse.drop.low < worse.drop.value < worse.drop.high


def test_intervals_count_groups_and_need_two_of_them():
    models = {"torch": candidate(model()), "worse": candidate(model(cut=40.0))}
    alone, paired, one = (measured(models, samples(6, per_group))["worse"].drop for per_group in (1, 2, 6))
    assert width(paired) > width(alone)
    assert one.value == pytest.approx(alone.value)
    assert (one.low, one.high) == (None, None)


def test_errors_are_those_of_probabilities_beside_the_own_origin():
    models = {
        "torch": candidate(model(slope=0.01)),
        "pruned": candidate(model(cut=90.0, slope=0.01), "pruned"),
        "onnx": candidate(model(slope=0.011)),
        "pruned_onnx": candidate(model(cut=90.0, slope=0.01), "pruned"),
    }
    found = measured(models)
    logits = 2 * (torch.arange(0, 200, 10) - 100) * torch.tensor([[0.01], [0.011]])
    expected = float(logits.sigmoid().diff(dim=0).abs().max())
    assert found["onnx"].max_error == pytest.approx(expected, rel=1e-4)
    assert found["pruned"].max_error == found["pruned_onnx"].max_error == 0.0
    assert found["pruned_onnx"].drop == found["pruned"].drop


def test_a_model_that_passes_is_let_through():
    refuse_others({"torch": figures(), "onnx": figures(0.005, 1e-3, exact=True), "int8": figures(-0.1, 0.4)}, 0.005)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (figures(0.0051), r"onnx_int8: Dice drops by 0.0051 from that of torch; export.max_dice_drop is 0.005"),
        (figures(float("nan")), r"onnx_int8: Dice drops by nan"),
        (figures(0.0, 2e-3, exact=True), r"onnx_int8: a probability differs by 0.002; 0.001 is the most"),
        (figures(0.0, float("nan")), r"onnx_int8: gives probabilities that are no numbers"),
        (figures(0.0, float("inf"), exact=True), r"onnx_int8: gives probabilities that are no numbers"),
    ],
)
def test_a_model_that_is_another_is_refused_with_the_figures_of_all(bad, said):
    with pytest.raises(SegError, match=said) as refused:
        refuse_others({"torch": figures(), "onnx": figures(0.001), "onnx_int8": bad}, 0.005)
    message = str(refused.value)
    assert all(line in message for line in table({"torch": figures(), "onnx": figures(0.001), "onnx_int8": bad}))
    assert "onnx: " not in message


def test_a_smaller_network_is_told_and_its_variants_are_judged_beside_it():
    models = {
        "torch": candidate(model()),
        "pruned": candidate(model(cut=40.0), "pruned"),
        "pruned_onnx": candidate(model(cut=40.0), "pruned"),
        "pruned_int8": candidate(model(cut=30.0), "pruned"),
    }
    found = measured(models)
    assert found["pruned"].drop.value > 0.05
    assert found["pruned_onnx"].drop == found["pruned"].drop
    assert found["pruned"].lost == found["pruned_onnx"].lost == Interval(0.0, 0.0, 0.0)
    assert found["pruned_int8"].lost.value == pytest.approx(found["pruned"].dice - found["pruned_int8"].dice)
    refuse_others({name: found[name] for name in ("torch", "pruned", "pruned_onnx")}, 0.005)
    with pytest.raises(SegError, match=r"made of:\n  pruned_int8: Dice drops by \S+ from that of pruned; .*\n  all of"):
        refuse_others(found, 0.005)


def test_the_message_says_what_lies_there_now():
    with pytest.raises(
        SegError, match=r"models/export/ holds the files of the last model that passed, if one did \(source\.json"
    ):
        refuse_others({"torch": figures(), "onnx": figures(0.2)}, 0.005)


def test_all_that_fail_are_named_at_once():
    with pytest.raises(SegError, match=r"(?s)one: Dice drops by .*two: Dice drops by "):
        refuse_others({"torch": figures(), "one": figures(0.2), "two": figures(0.3)}, 0.005)


def test_a_model_that_gives_no_numbers_is_found_out():
    found = measured({"torch": candidate(model()), "broken": candidate(model(slope=float("nan")))})
    with pytest.raises(SegError, match="broken: gives probabilities that are no numbers"):
        refuse_others(found, 1.0)
