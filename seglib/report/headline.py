"""The figures of the whole test side, each with its interval and a sentence that says what it means."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglib.measures import FIGURES
from seglib.report.numbers import UNITS, amount, decimal, measured, percent, significant
from seglib.report.results import Results

FEW_GROUPS = 20
"""Below that an interval says little."""
FIRST = ("dice", "iou", "nsd", "hd95", "lesion_recall", "lesion_precision")
"""Those that stand on top; the others in a table."""
LABELS = {figure.name: figure.label for figure in FIGURES} | {
    "iou_pooled_with_background": "IoU, pooled, with background",
    "pixel_accuracy": "Pixel accuracy",
}
MEANINGS = {
    "dice": "How well prediction and truth overlap: 0 not at all, 1 exactly.",
    "iou": "What both mark, as a share of what either marks. Stricter than Dice; the order of the cases is the same.",
    "precision": "The share of what is predicted that is right.",
    "recall": "The share of the truth that is found.",
    "nsd": "The share of both outlines that lies within {tolerance} of the other outline.",
    "hd95": "95 % of each outline lies nearer than this to the other outline.",
    "assd": "How far the two outlines lie apart on average.",
    "volume_difference": "How much larger (+) or smaller (−) the prediction is than the truth, as a share of it; "
    "both cancel out in this mean.",
    "calibration_error": "How far the predicted probabilities are from the frequencies that they promise, "
    "within a case; 0 is perfect.",
    "lesion_recall": "The share of the separate objects in the truth that the model touches.",
    "lesion_precision": "The share of the separate objects in the prediction that touch one of the truth.",
    "lesion_f1": "Objects found and objects that are true, in one figure (harmonic mean).",
    "dice_pooled": "Dice of all cases taken as one large image, so large objects count more.",
    "iou_pooled": "IoU of all cases taken as one large image.",
    "precision_pooled": "Of all that is predicted in all cases together, the share that is right.",
    "recall_pooled": "Of all of the truth in all cases together, the share that is found.",
    "iou_pooled_with_background": "Mean IoU with the background as one more class, as some papers print it.",
    "pixel_accuracy": "The share of all {pixels}, background included, that is right. High wherever objects are small.",
    "dice_at_model_size": "Dice before the prediction is brought back to the image's own size.",
    "iou_at_model_size": "IoU before the prediction is brought back to the image's own size.",
}


@dataclass(frozen=True)
class Figure:
    """A figure as it is shown."""

    name: str
    label: str
    value: str
    interval: str
    """Empty where there is none."""
    meaning: str
    bar: tuple[float, float, float] | None
    """Low, value and high of a share, for a bar from 0 to 1."""


@dataclass(frozen=True)
class Headline:
    """The figures and what must be known to read them."""

    first: Sequence[Figure]
    others: Sequence[Figure]
    counted: str
    notes: Sequence[str]


def headline(results: Results, params: Mapping[str, Any]) -> Headline:
    """Choose and phrase the figures of `metrics.json`."""
    known = [name for name in MEANINGS if name in results.metrics]
    figures = {name: _figure(name, results, params) for name in known}
    n, groups = int(results.metrics["n"]), int(results.metrics["n_groups"])
    return Headline(
        first=[figures[name] for name in FIRST if name in figures],
        others=[figure for name, figure in figures.items() if name not in FIRST],
        counted=amount(n, "test case") + (f" in {amount(groups, 'group')}" if groups < n else ""),
        notes=list(_notes(results, params, groups)),
    )


def _figure(name: str, results: Results, params: Mapping[str, Any]) -> Figure:
    value, low, high = (results.metrics.get(f"{name}{end}", math.nan) for end in ("", "_low", "_high"))
    tolerance = f"{params['evaluate']['tolerance']:g} {results.distance}"
    bounded = not math.isnan(low) and not math.isnan(high)
    share = UNITS.get(name) != "distance" and name != "volume_difference"
    unit = "" if share or name == "volume_difference" else f" {results.distance}"
    ends = (decimal(low), decimal(high)) if not unit else (significant(low), significant(high))
    return Figure(
        name=name,
        label=LABELS[name],
        value=measured(name, value, results.distance),
        interval=f"{ends[0]} to {ends[1]}{unit}" if bounded else "",
        meaning=MEANINGS[name].format(tolerance=tolerance, pixels=results.pixels),
        bar=(low if bounded else value, value, high if bounded else value) if share else None,
    )


def _notes(results: Results, params: Mapping[str, Any], groups: int) -> Iterator[str]:
    if not set(FIRST) & set(results.metrics):
        yield "No case has a figure: neither the truth nor the prediction of any shows an object."
        return
    confidence = percent(params["evaluate"]["confidence"]).replace(".0", "")
    then = ", then over the classes" if len(results.classes) > 1 else ""
    yield (
        f"Overlap and distances are means over the cases{then}, at each image's own size; objects are counted over all "
        "cases together."
    )
    yield (
        f"Below each figure stands its {confidence} interval, from leaving out each group in turn. It says how much "
        "the figure could change with other cases of the same kind, not at other sites or with other devices."
    )
    if groups < FEW_GROUPS:
        yield f"{amount(groups, 'group')} {'is' if groups == 1 else 'are'} few: take the figures as a first impression."
    yield _missed(int(results.metrics["n_missed"]), len(results.classes))
    if empty := int(results.metrics["n_empty"]):
        yield _empty(empty, len(results.classes))


def _missed(number: int, classes: int) -> str:
    if not number:
        return "No case was missed altogether." if classes == 1 else "No class of any case was missed altogether."
    if classes == 1:
        return f"In {amount(number, 'case')} nothing of what is there was found; that counts as Dice 0."
    return f"{amount(number, 'time')} a class that a case shows was not found at all; that counts as Dice 0."


def _empty(number: int, classes: int) -> str:
    if classes == 1:
        return f"In {amount(number, 'case')} neither truth nor prediction shows anything; that counts nowhere."
    return f"{amount(number, 'time')} neither truth nor prediction of a case shows a class; that counts nowhere."
