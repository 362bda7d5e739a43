"""Measure the best model on the test side, at each image's own resolution."""

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from seglib.checkpoint import Card, load_checkpoint
from seglib.config import parse, read_params, section
from seglib.device import open_device
from seglib.inference import predict
from seglib.intensity import Intensity
from seglib.io.sample import Sample
from seglib.metrics import CaseCounts, count, mean_over_classes, summarise
from seglib.overlays import Palette, draw, spread
from seglib.paths import BEST, EVALUATE_REPORT, SPLIT
from seglib.sections.compute import Compute
from seglib.sections.evaluate import Evaluate
from seglib.sections.pixels import Pixels
from seglib.source import read_source
from seglib.splitting import read_split
from seglib.stage import run_stage

Segment = Callable[[Sample], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Gives image, truth and prediction of a sample."""


def main() -> None:
    """Write `metrics.json`, `cases.csv` and the overlays."""
    params = read_params()
    settings = section(params, "evaluate", Evaluate)
    device = open_device(parse(Compute, {key: params["train"][key] for key in Compute.model_fields}, "train"))
    segmenter, card = load_checkpoint(BEST)
    segmenter.to(device)
    source = read_source(params)
    intensity = Intensity(source.spec, Pixels.model_validate(card.pixels))

    def segment(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        raw, truth = sample.read(source.spec)
        image = intensity.apply(raw, intensity.limits(sample, raw))
        return image, truth, predict(segmenter, card, image, sample.spacing, device)

    test = set(read_split(SPLIT)["test"])
    samples = {sample.id: sample for sample in source.samples if sample.id in test}
    cases: dict[str, CaseCounts] = {}
    for sample in tqdm(samples.values(), "evaluate", unit="image", disable=None):
        _, truth, guess = segment(sample)
        cases[sample.id] = count(truth, guess, len(card.classes), overlapping=card.overlapping)

    metrics = summarise(list(cases.values()), card.classes)
    EVALUATE_REPORT.mkdir(parents=True, exist_ok=True)
    (EVALUATE_REPORT / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    _write_cases(EVALUATE_REPORT / "cases.csv", samples, cases, card.classes)
    _draw_overlays(EVALUATE_REPORT / "overlays", settings.overlays, samples, cases, segment, card)
    print(f"test side: Dice {metrics.get('dice')}, IoU {metrics.get('iou')}, n {metrics['n']}")


def _write_cases(
    path: Path, samples: Mapping[str, Sample], cases: Mapping[str, CaseCounts], classes: Sequence[str]
) -> None:
    measures = ("dice", "iou")
    header = ["id", "group", *measures, *(f"{measure}_{name}" for measure in measures for name in classes[1:])]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for key, case in cases.items():
            values = [case.dice, case.iou]
            means = [mean_over_classes(value) for value in values]
            cells = [None if np.isnan(cell) else round(float(cell), 6) for value in values for cell in value[1:]]
            writer.writerow([key, samples[key].group, *means, *cells])


def _draw_overlays(
    folder: Path,
    number: int,
    samples: Mapping[str, Sample],
    cases: Mapping[str, CaseCounts],
    segment: Segment,
    card: Card,
) -> None:
    folder.mkdir(exist_ok=True)
    dice = {key: mean_over_classes(case.dice) for key, case in cases.items()}
    ranked = sorted((key for key in cases if dice[key] is not None), key=lambda key: (dice[key], key))
    for rank, key in enumerate(spread(ranked, number)):
        name = re.sub(r"[^\w.-]+", "_", key)[:100]
        caption = f"{key}  Dice {dice[key]:.3f}   image | truth | prediction"
        draw(
            folder / f"{rank:02d}-{name}.png", *segment(samples[key]), Palette(card.colours, card.overlapping), caption
        )


if __name__ == "__main__":
    run_stage("evaluate", main)
