"""Measure the best model on the test side, at each image's own resolution."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from tqdm import tqdm

from seglib.case_table import CaseTable, case_name, write_cases
from seglib.config import parse, read_params, section
from seglib.device import open_device
from seglib.ensemble import load_models
from seglib.evaluation import Evaluation
from seglib.evaluator import Compared, Evaluator
from seglib.inference import Predictor
from seglib.io.sample import Sample
from seglib.leakage import refuse_seen
from seglib.overlays import Palette, draw, spread
from seglib.paths import BEST, EVALUATE_REPORT, SPLIT
from seglib.pictures import write_pictures, write_thumbnail
from seglib.sections.compute import Compute
from seglib.sections.evaluate import Evaluate
from seglib.sections.predict import Predict
from seglib.source import read_source
from seglib.splitting import read_split
from seglib.statistics import mean_of_classes


def main() -> None:
    """Write `metrics.json`, `cases.csv`, what is plotted, and the pictures."""
    params = read_params()
    settings, predicting = section(params, "evaluate", Evaluate), section(params, "predict", Predict)
    device = open_device(parse(Compute, {key: params["train"][key] for key in Compute.model_fields}, "train"))
    models = load_models(BEST, predicting.ensemble)
    card, source, sides = models[0].card, read_source(params), read_split(SPLIT)
    val, test = (
        [sample for sample in source.samples if sample.id in ids] for ids in map(set, (sides["val"], sides["test"]))
    )
    refuse_seen({model.file: model.card for model in models}, {sample.id: sample.group for sample in test})
    predictor = Predictor([model.segmenter.to(device) for model in models], card, predicting, device)
    in_mm = _in_mm(test)
    evaluator = Evaluator(predictor, source.spec, settings.tolerance, in_mm=in_mm)
    threshold = evaluator.threshold(val)

    EVALUATE_REPORT.mkdir(parents=True, exist_ok=True)
    palette, compared = Palette(card.colours, card.overlapping), []
    for sample in tqdm(test, "evaluate", unit="image", disable=None):
        found, segmented = evaluator.compare(sample, threshold)
        write_thumbnail(EVALUATE_REPORT / f"thumbnails/{case_name(sample.id)}.webp", *segmented, palette)
        compared.append(found)
    cases = [found.case for found in compared]
    evaluation = Evaluation(cases, card.classes, settings.confidence)
    metrics = evaluation.metrics() | {
        "threshold": threshold,
        "tolerance": settings.tolerance,
        "confidence": settings.confidence,
        "distances_in_mm": int(in_mm),
    }
    if predicting.min_pixels or predicting.fill_holes:
        metrics |= _changes(compared)
    (EVALUATE_REPORT / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    write_cases(EVALUATE_REPORT / "cases.csv", evaluation.table)
    evaluation.write_plots(EVALUATE_REPORT / "plots")
    _draw(_shown(evaluation.table, settings.overlays), test, evaluator, threshold, palette)
    print(f"test side: Dice {metrics.get('dice')}, IoU {metrics.get('iou')}, n {metrics['n']}")


def _in_mm(test: Sequence[Sample]) -> bool:
    """Whether all distances can be in mm; some in mm and some in pixels would have no mean."""
    known = [sample.spacing is not None for sample in test]
    if any(known) and not all(known):
        print(f"warning: {known.count(False)} of {len(known)} test cases have no spacing; all distances are in pixels")
    return all(known)


def _changes(compared: Sequence[Compared]) -> dict[str, float | int]:
    """What post-processing did to the predictions, all together."""
    dice = mean_of_classes(np.stack([found.dice_before for found in compared])).value
    changes = [found.changes for found in compared]
    return {
        "postprocessing/objects_removed": sum(change.objects for change in changes),
        "postprocessing/pixels_removed": sum(change.pixels_removed for change in changes),
        "postprocessing/holes_filled": sum(change.holes for change in changes),
        "postprocessing/pixels_filled": sum(change.pixels_filled for change in changes),
    } | ({} if np.isnan(dice) else {"postprocessing/dice_before": round(dice, 6)})


def _shown(table: CaseTable, number: int) -> dict[str, float]:
    """The cases to draw with their Dice, spread evenly from the worst to the best."""
    dice = dict(zip(table.ids, table.mean_of_cases("dice").tolist(), strict=True))
    ranked = sorted((key for key in dice if not np.isnan(dice[key])), key=lambda key: (dice[key], key))
    return {key: dice[key] for key in spread(ranked, number)}


def _draw(
    shown: Mapping[str, float], test: Sequence[Sample], evaluator: Evaluator, threshold: float, palette: Palette
) -> None:
    samples = {sample.id: sample for sample in test}
    for name in ("overlays", "pictures"):
        (EVALUATE_REPORT / name).mkdir(exist_ok=True)
    for key, dice in shown.items():
        _, segmented = evaluator.compare(samples[key], threshold)
        name, caption = case_name(key), f"{key}  Dice {dice:.3f}   image | truth | prediction"
        draw(EVALUATE_REPORT / f"overlays/{name}.png", *segmented, palette, caption)
        write_pictures(EVALUATE_REPORT / f"pictures/{name}", *segmented, palette)
