"""Whole volumes go through the real pipeline: 3-D crops in training, windows over whole volumes after it."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nibabel.nifti1 import load as load_nifti

from seglib.checkpoint import load_checkpoint
from seglib.config import read_yaml
from seglib.inference import Predictor
from seglib.sections.predict import Predict
from tests.layouts.msd import INDEX, write
from tests.project import STAGES, TINY, Project, make_project

VOLUMES = {
    **TINY,
    "data.name": "msd",
    "data.msd.take": "volume",
    "preprocess.resize": "native",
    "augment.name": "volume",
    "train.foreground_crops": 0.5,
}
CROP = [8, 16, 16]


def balls(root: Path, number: int = 8) -> Path:
    """A task of volumes of 20 to 26 voxels a side and 12 to 15 slices, larger than the crop, each with two balls."""
    training = []
    for i in range(number):
        random, name = np.random.default_rng(i), f"hippocampus_{i:03d}.nii.gz"
        shape = tuple(random.integers([20, 22, 12], [24, 27, 16]).tolist())
        labels = np.zeros(shape, np.uint8)
        for value in (1, 2):
            centre = [random.integers(4, side - 4) for side in shape]
            distance = sum((axis - at) ** 2 for axis, at in zip(np.indices(shape), centre, strict=True))
            labels[distance <= random.integers(9, 20)] = value
        noise = random.integers(0, 40, shape)
        write(root / "imagesTr" / name, (labels * 80 + noise).astype(np.uint8))
        write(root / "labelsTr" / name, labels)
        training.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
    content = {**INDEX, "numTraining": number, "numTest": 0, "training": training, "test": []}
    (root / "dataset.json").write_text(json.dumps(content))
    return root


def metrics(project: Project, stage: str) -> dict[str, Any]:
    return json.loads((project.root / f"reports/{stage}/metrics.json").read_text())


def test_volumes_are_trained_on_in_crops_and_measured_whole(tmp_path):
    data = balls(tmp_path / "Task04_Hippocampus")
    project = make_project(
        tmp_path / "project", {**VOLUMES, "data.path": str(data), "preprocess.image_size": CROP, "split.val": 0.3}
    )
    assert project.repro().ran == list(STAGES)
    found = metrics(project, "evaluate")
    assert {"Anterior/dice", "Posterior/dice"} <= found.keys()
    assert all(math.isfinite(found[name]) for name in ("dice", "iou", "Anterior/dice", "Posterior/dice"))
    assert 0 < metrics(project, "train")["val_dice"] < 1
    test = json.loads((project.root / "data/split.json").read_text())["test"]
    with (project.root / "reports/evaluate/cases.csv").open(newline="") as file:
        assert list(dict.fromkeys(row["id"] for row in csv.DictReader(file))) == test
    assert len(list((project.root / "reports/evaluate/overlays").glob("*.png"))) == min(2, len(test))

    segmenter, card = load_checkpoint(project.root / "models/best.pt")
    assert (card.dims, card.pixels["image_size"]) == (3, CROP)
    asked = []
    segmenter.network.register_forward_pre_hook(lambda _, inputs: asked.append(tuple(inputs[0].shape[2:])))
    volume = np.asarray(load_nifti(data / f"imagesTr/{test[0]}.nii.gz").dataobj, np.uint8).T[..., None]
    settings = Predict.model_validate(read_yaml(project.root / "params.yaml")["predict"])
    predictor = Predictor([segmenter], card, settings, torch.device("cpu"))
    guess, _ = predictor.mask(predictor.predict(volume, None).own_size, 0.5)
    assert guess.shape == volume.shape[:3]
    assert guess.max() <= 2
    assert set(asked) == {tuple(CROP)}
    assert len(asked) > 8, "windows over a volume that is larger than the crop"


@pytest.mark.slow
def test_a_small_network_learns_the_real_hippocampus(tmp_path, real_data):
    """160 volumes of about 36 × 50 × 35 voxels; eight epochs gave a Dice of 0.82."""
    values = {
        "data.path": str(real_data / "Task04_Hippocampus.tar"),
        "preprocess.resize": "stretch",
        "preprocess.image_size": [24, 32, 24],
        "augment.name": "none",
        "model.unet.channels": [8, 16, 32],
        "train.epochs": 8,
        "train.lr": 0.01,
    }
    project = make_project(tmp_path / "project", {**VOLUMES, **values})
    assert project.repro().ran == list(STAGES)
    assert metrics(project, "evaluate")["dice"] > 0.75
