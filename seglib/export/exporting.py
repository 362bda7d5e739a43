"""All variants of the trained model, and of the pruned one: made, proven to be that model, and timed."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seglib.config import parse
from seglib.device import open_device
from seglib.export.calibration import calibration_images
from seglib.export.candidates import Opener, make_candidates
from seglib.export.parity import Figures, measure, refuse_others, table
from seglib.export.timing import Runner, time_models
from seglib.export.variants import RECIPES, TRAINED, Origin, read_origins, unavailable
from seglib.io.cache import open_cache
from seglib.paths import BEST, CACHE, EXPORT, PRUNED, SOURCE, SPLIT
from seglib.sections.compute import Compute
from seglib.sections.export import Export
from seglib.sections.predict import PLAIN, Predict
from seglib.source import read_source
from seglib.splitting import read_split


@dataclass(frozen=True)
class Exported:
    """What became of the variants."""

    n: int
    """Images of the validation side that they were compared on."""
    figures: Mapping[str, Figures]
    timing: Mapping[str, Any]
    """Empty where nothing was timed."""
    skipped: Sequence[str]
    """Variants that cannot be made here."""


def export_models(params: Mapping[str, Any], settings: Export) -> Exported:
    """Write `models/export/`, and say what the files are worth.

    Raises SegError, and leaves no file, where one of them is another model than it was made of; within DVC the stage
    then puts back those of the last model that passed. SOURCE, beside the files, says of which model they are.
    """
    compute = parse(Compute, {key: params["train"][key] for key in Compute.model_fields}, "train")
    predicting = parse(Predict, PLAIN.model_dump() | {"overlap": params["predict"]["overlap"]}, "predict")
    device = open_device(compute)
    val = set(read_split(SPLIT)["val"])
    samples = [sample for sample in read_source(params).samples if sample.id in val]
    origins = read_origins(BEST, PRUNED)
    skipped = _skipped(settings.variants, device)
    names = [name for name in settings.variants if name not in skipped]
    images = calibration_images(open_cache(CACHE), val, origins[TRAINED].card, _images_needed(names, settings))
    with _all_or_nothing(EXPORT):
        candidates = make_candidates(origins, names, images, EXPORT, Opener(predicting, device, compute.threads))
        figures = measure(candidates, samples, settings.confidence)
        refuse_others(figures, settings.max_dice_drop)
        runners = {name: Runner(found.file, found.predictor.device) for name, found in candidates.items()}
        timing = time_models(runners, images[0], compute.threads, settings.rounds) if settings.rounds else {}
        _write_source(origins.values())
    print(f"exported models on {len(samples)} images of the validation side:", *table(figures), sep="\n  ")
    return Exported(len(samples), figures, timing, skipped)


def _skipped(names: Sequence[str], device: torch.device) -> list[str]:
    """Variants that cannot be made here, with a note on each."""
    reasons = {name: reason for name in names if (reason := unavailable(name, device))}
    for name, reason in reasons.items():
        print(f"note: {name} is left out, for it {reason}; DVC keeps that, so there run `dvc repro -f -s export`")
    return list(reasons)


def _images_needed(names: Sequence[str], settings: Export) -> int:
    """So many are calibrated on; the timing takes the first."""
    return settings.calibration if any(RECIPES[name].calibrated for name in names) else min(settings.rounds, 1)


def _write_source(origins: Iterable[Origin]) -> None:
    found = {str(origin.file): hashlib.sha256(origin.file.read_bytes()).hexdigest() for origin in origins}
    (EXPORT / SOURCE).write_text(json.dumps(found, indent=1) + "\n")


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[None]:
    """Begin with an empty folder, and leave none where the block fails."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder)
        raise
