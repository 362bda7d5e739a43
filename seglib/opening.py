"""A model file with the settings of the current folder, ready to segment: what `seg predict` and `seg serve` open."""

import json
from pathlib import Path
from typing import Literal

import torch

from seglib.config import read_params, section
from seglib.deployed import CHECKPOINT, guarded, open_model
from seglib.device import open_device
from seglib.ensemble import load_models
from seglib.errors import SegError
from seglib.inference import Predictor
from seglib.paths import BEST, EVALUATE_REPORT, PARAMS
from seglib.sections.compute import Compute
from seglib.sections.predict import PLAIN, Predict
from seglib.sections.prune import NO_MODEL
from seglib.segmentation import Segmentation

Device = Literal["auto", "cpu", "cuda"]
Threshold = float | Literal["auto"]
METRICS = EVALUATE_REPORT / "metrics.json"


def open_segmentation(
    model: Path, device: Device, threads: int, *, settings: Predict = PLAIN, batch: int = 1
) -> Segmentation:
    """Open a model file of any known format; `threads` of the CPU, 0: as many as the libraries choose.

    Raises SegError where it cannot be read or does not go with the settings or the device.
    """
    chosen = _open_device(device, threads, model)
    if _is_none(model):
        raise SegError(f"{model}: holds no model, for nothing was pruned; set prune.ratio, or choose {BEST}")
    if settings.ensemble and model.suffix != CHECKPOINT:
        raise SegError(
            f"predict.ensemble: its members go with {CHECKPOINT} files only, not with {model}; set predict.ensemble: []"
        )
    if settings.ensemble:
        members = load_models(model, settings.ensemble)
        models = [guarded(member.segmenter.to(chosen), Path(member.file)) for member in members]
        card = members[0].card
    else:
        found, card = open_model(model, chosen, threads)
        models = [found]
    return Segmentation(Predictor(models, card, settings, chosen), _threshold(settings.threshold, model), batch)


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
    if device == "cuda" and model.suffix != CHECKPOINT:
        raise SegError(f"--device cuda: {model.suffix} files choose their device themselves; leave --device out")
    if device == "cuda" and not torch.cuda.is_available():
        raise SegError(
            "--device cuda: this PyTorch sees no GPU; choose auto or cpu, or install the driver and the GPU build of "
            "torch"
        )
    if device != "cpu" and model.suffix == CHECKPOINT and torch.cuda.is_available():
        return open_device(Compute(device="cuda", threads=threads or torch.get_num_threads()))
    torch.set_num_threads(threads or torch.get_num_threads())
    return torch.device("cpu")


def _is_none(model: Path) -> bool:
    """Whether the file stands for no model."""
    return model.is_file() and model.stat().st_size == len(NO_MODEL) and model.read_bytes() == NO_MODEL


def _threshold(wanted: Threshold, model: Path) -> float:
    """The threshold itself, or the one that evaluation has chosen for the model."""
    if wanted != "auto":
        return wanted
    if model.resolve() != BEST.resolve():
        raise SegError(
            f"predict.threshold: auto, but evaluation chooses one for {BEST} only, not for {model}; give a number, as "
            "--threshold 0.5"
        )
    try:
        return float(json.loads(METRICS.read_text())["threshold"])
    except (OSError, ValueError, KeyError, TypeError):
        raise SegError(
            f"predict.threshold: auto, but {METRICS} tells none; run `dvc repro evaluate`, which chooses it, or give a "
            "number, as --threshold 0.5"
        ) from None
