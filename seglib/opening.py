"""A model file with the settings of the current folder, ready to segment: what `seg predict` and `seg serve` open."""

import json
from pathlib import Path
from typing import Literal

import torch

from seglib.config import read_params, section
from seglib.deployed import open_model
from seglib.device import open_device
from seglib.ensemble import load_models
from seglib.errors import SegError
from seglib.inference import Predictor
from seglib.paths import EVALUATE_REPORT, PARAMS
from seglib.sections.compute import Compute
from seglib.sections.predict import Predict
from seglib.segmentation import Segmentation

Device = Literal["auto", "cpu", "cuda"]
Threshold = float | Literal["auto"]
PLAIN = Predict(
    threshold=0.5, overlap=0.5, flips=False, rotations=False, scales=[1.0], ensemble=[], min_pixels=0, fill_holes=0
)
"""Where there is no params.yaml."""
METRICS = EVALUATE_REPORT / "metrics.json"
TRAINED = ".pt"
"""Suffix of the files that `train` writes."""


def open_segmentation(
    model: Path, device: Device, threads: int, *, settings: Predict = PLAIN, batch: int = 1
) -> Segmentation:
    """Open a model file of any known format; `threads` of the CPU, 0: as many as the libraries choose.

    Raises SegError where it cannot be read or does not go with the settings or the device.
    """
    chosen = _open_device(device, threads, model)
    if settings.ensemble and model.suffix != TRAINED:
        raise SegError(
            f"predict.ensemble: its members go with {TRAINED} files only, not with {model}; set predict.ensemble: []"
        )
    if settings.ensemble:
        members = load_models(model, settings.ensemble)
        models, card = [member.segmenter.to(chosen) for member in members], members[0].card
    else:
        found, card = open_model(model, chosen, threads)
        models = [found]
    return Segmentation(Predictor(models, card, settings, chosen), _threshold(settings.threshold), batch)


def current_settings(*, mirrored: bool = False, threshold: Threshold | None = None) -> Predict:
    """The section `predict` of the current folder's params.yaml, or plain settings where there is none.

    `mirrored` switches the flips on; a threshold replaces the one that is set.
    """
    params = read_params() if PARAMS.exists() else {}
    found = section(params, "predict", Predict) if "predict" in params else PLAIN
    changed = ({"flips": True} if mirrored else {}) | ({} if threshold is None else {"threshold": threshold})
    return found.model_copy(update=changed)


def _open_device(device: Device, threads: int, model: Path) -> torch.device:
    """On a GPU as exact as evaluation; the CPU needs nothing for that, and `open_device` takes seconds."""
    if device == "cuda" and model.suffix != TRAINED:
        raise SegError(f"--device cuda: {model.suffix} files choose their device themselves; leave --device out")
    if device == "cuda" and not torch.cuda.is_available():
        raise SegError(
            "--device cuda: this PyTorch sees no GPU; choose auto or cpu, or install the driver and the GPU build of "
            "torch"
        )
    if device != "cpu" and model.suffix == TRAINED and torch.cuda.is_available():
        return open_device(Compute(device="cuda", threads=threads or torch.get_num_threads()))
    torch.set_num_threads(threads or torch.get_num_threads())
    return torch.device("cpu")


def _threshold(wanted: Threshold) -> float:
    """The threshold itself, or the one that evaluation has chosen."""
    if wanted != "auto":
        return wanted
    try:
        return float(json.loads(METRICS.read_text())["threshold"])
    except (OSError, ValueError, KeyError, TypeError):
        raise SegError(
            f"predict.threshold: auto, but {METRICS} tells none; run `dvc repro evaluate`, which chooses it, or give a "
            "number, as --threshold 0.5"
        ) from None
