"""The model card: what the model is, what it was made from, and what it is not for (Mitchell et al., FAT* 2019)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seglib.errors import SegError
from seglib.paths import BEST
from seglib.report.numbers import amount, count, decimal, megabytes, modality
from seglib.report.parameters import text, value_of
from seglib.report.results import Results

LOW = 0.5
"""A case with a lower Dice is named as a limit."""


@dataclass(frozen=True)
class ModelCard:
    """What the page says of the model."""

    use: str
    facts: Sequence[tuple[str, str]]
    limits: Sequence[str]


def model_card(results: Results, params: Mapping[str, Any]) -> ModelCard:
    """Collect the card from parameters, index and figures."""
    dataset = results.dataset
    names = [entry["name"] for entry in dataset["classes"][1:]]
    use = (
        f"Marks {_joined(names)} in {modality(dataset['modality'])} images like those of the data set "
        f"{dataset['name']}. For research: to measure how well a method works, and to compare it with others."
    )
    return ModelCard(use, list(_facts(results, params)), list(_limits(results)))


def _facts(results: Results, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    model, train = params["model"], params["train"]
    options = model[model["name"]] or {}
    weights = results.training.get("weights")
    size = megabytes(_file_size())
    yield "Architecture", model["name"]
    yield "Size", f"{count(weights)} weights, {size} as a file" if weights else f"{size} as a file"
    yield "Starts from", _start(options)
    sides = {side: len(results.split[side]) for side in ("train", "val")}
    yield "Trained on", f"{amount(sides['train'], 'image')} of {results.dataset['name']}"
    yield (
        "Chosen by",
        (
            f"validation Dice on {amount(sides['val'], 'image')}: epoch {results.training['best_epoch']} of "
            f"{results.training['epochs']}, Dice {decimal(results.training['val_dice'])}"
        ),
    )
    yield "Loss", params["loss"]["name"]
    yield "Optimiser", f"{params['optimizer']['name']}, learning rate {text(train['lr'])}"
    yield "Schedule", params["scheduler"]["name"]
    yield "Image size", _size(params)
    yield "Mask from probabilities", _mask(results, params)
    if "postprocessing/pixels_removed" in results.metrics:
        yield "Post-processing", _changed(results.metrics)
    yield "Licence of the data", results.dataset["licence"] or "not stated"


def _file_size() -> int:
    try:
        return BEST.stat().st_size
    except FileNotFoundError:
        raise SegError(f"{BEST} is missing: run `dvc repro train`") from None


def _start(options: Mapping[str, Any]) -> str:
    if not options.get("weights"):
        return "random weights"
    return f"published weights of the encoder, {text(options['weights'])} (sha256 {options['sha256'][:12]}…)"


def _size(params: Mapping[str, Any]) -> str:
    size, how = value_of(params, "preprocess", "image_size"), value_of(params, "preprocess", "resize")
    if isinstance(size, float):
        return "as published" if size == 1 else f"{size:g} times the published one"
    return f"{text(size)} pixels, {how}"


def _mask(results: Results, params: Mapping[str, Any]) -> str:
    predict = params["predict"]
    parts = [_threshold(results, params)]
    if turned := [name for name in ("flips", "rotations") if predict[name]]:
        parts.append(f"mean over {_joined(turned)}")
    if predict["scales"] != [1.0]:
        parts.append(f"mean over the scales {text(predict['scales'])}")
    if predict["ensemble"]:
        parts.append(f"mean of {len(predict['ensemble']) + 1} models")
    removed = {"min_pixels": "objects under {} pixels removed", "fill_holes": "holes under {} pixels filled"}
    parts += [what.format(predict[key]) for key, what in removed.items() if predict[key]]
    return "; ".join(parts)


def _threshold(results: Results, params: Mapping[str, Any]) -> str:
    head, overlapping = params["model"]["head"], results.dataset["overlapping"]
    if (head == "softmax" or (head == "auto" and not overlapping)) and len(results.classes) > 1:
        return "the most probable class"
    chosen = ", chosen on the validation side" if params["predict"]["threshold"] == "auto" else ""
    return f"a class above probability {results.metrics['threshold']:g}{chosen}"


def _changed(metrics: Mapping[str, float]) -> str:
    before = metrics.get("postprocessing/dice_before")
    done = [
        f"{verb} {_of(metrics, f'{noun}s_{verb}', noun)} ({_of(metrics, f'pixels_{verb}', 'pixel')})"
        for verb, noun in (("removed", "object"), ("filled", "hole"))
    ]
    dice = "" if before is None else f"; without it the Dice is {decimal(before)}"
    return f"{', '.join(done)}{dice}"


def _of(metrics: Mapping[str, float], key: str, noun: str) -> str:
    return amount(int(metrics[f"postprocessing/{key}"]), noun)


def _limits(results: Results) -> Iterator[str]:
    dice = results.cases.mean_of_cases("dice")
    known = dice[~np.isnan(dice)]
    if low := int((known < LOW).sum()):
        cases = amount(known.size, "test case")
        yield f"{count(low)} of {cases} have a Dice below {LOW:g}; the worst has {decimal(known.min())}."
    elif known.size:
        yield f"The worst of {amount(known.size, 'test case')} has a Dice of {decimal(known.min())}."
    groups = {sample["group"] for sample in results.samples if sample["id"] in set(results.split["train"])}
    yield (
        f"It has seen {amount(len(groups), 'group')} of one data set. Other devices, sites and protocols were not "
        "tested; expect it to do worse there."
    )
    truth = results.cases.columns["truth"]
    if absent := [name for c, name in enumerate(results.cases.classes) if not truth[:, c].any()]:
        yield f"The test side does not show {_joined(absent)}, so nothing is known of how well it does there."
    yield "Its probabilities are only as good as the calibration chart says."


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
