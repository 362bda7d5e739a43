"""Small models, whose weights are random, for tests of what predicts with them."""

from pathlib import Path

import nibabel
import numpy as np
import torch

from seglib.checkpoint import Card, Segmenter, build_segmenter, save_checkpoint
from seglib.inference import Predictor
from seglib.sections.predict import Predict
from seglib.segmentation import Segmentation
from tests.model_cards import PLAIN_PREDICT

CPU = torch.device("cpu")
THREE = [
    {"name": name, "colour": colour}
    for name, colour in (("background", [0, 0, 0]), ("lung", [200, 30, 0]), ("heart", [0, 90, 250]))
]


def random_model(own: Card, seed: int = 0) -> Segmenter:
    """A network whose masks show all its classes."""
    torch.manual_seed(seed)
    channels = own.dataset["channels"]
    return build_segmenter(own, torch.full((channels,), 127.0), torch.full((channels,), 70.0)).eval()


def predictor(own: Card, model=None, **settings: object) -> Predictor:
    """One that predicts with the model, or a random one."""
    return Predictor([model or random_model(own)], own, Predict.model_validate(PLAIN_PREDICT | settings), CPU)


def segmentation(own: Card, model=None, *, batch: int = 1, threshold: float = 0.5, **settings: object) -> Segmentation:
    """The same as what `seg predict` asks."""
    return Segmentation(predictor(own, model, **settings), threshold, batch)


def affine(volume: nibabel.Nifti1Image) -> np.ndarray:
    """From voxels to millimetres."""
    assert volume.affine is not None
    return volume.affine


def write_model(path: Path, own: Card, seed: int = 0) -> Segmenter:
    """Write a random model as `train` does."""
    model = random_model(own, seed)
    save_checkpoint(path, own, model.state_dict())
    return model
