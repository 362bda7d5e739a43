"""What the stages before `train` leave in the current folder, for twelve generated images and a small network."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from ruamel.yaml import YAML

from seglib.config import read_yaml
from seglib.io.cache import pack_shard
from seglib.paths import CACHE, ENCODER, INDEX, SPLIT
from seglib.sections.network import NO_WEIGHTS
from tests.model_cards import CARD
from tests.project import REPOSITORY
from tests.training import cases

PIPELINE = {
    "stages": {
        "train": {"deps": ["data/index.json"], "params": ["train", {"versions.yaml": ["torch"]}]},
        "prune": {"deps": ["models/best.pt"], "params": ["prune", "train.seed", {"versions.yaml": ["torch"]}]},
    }
}


def small_params(**train: Any) -> dict[str, Any]:
    """The defaults with a small network, nothing augmented, and values of `train`."""
    params = read_yaml(REPOSITORY / "params.yaml")
    params["augment"] = {"name": "none", "none": []}
    params["model"]["unet"] = {"channels": [8, 16], "strides": [], "num_res_units": 1, "dropout": 0.0}
    params["train"] |= {"epochs": 2, "lr": 0.02, "device": "cpu", "threads": 1, "precision": "fp32", **train}
    return params


def prepare(params: dict[str, Any], *, sizes: tuple[int, ...] = (16,)) -> None:
    """Write parameters, pipeline, index, cache, split, and no published weights; heights take turns."""
    found = {}
    for turn, height in enumerate(sizes):
        found |= dict(list(cases(12, height).items())[turn :: len(sizes)])
    for file, content in (("params.yaml", params), ("dvc.yaml", PIPELINE), ("versions.yaml", _versions())):
        YAML().dump(content, Path(file))
    CACHE.mkdir(parents=True)
    (CACHE / "shard-000.pt").write_bytes(pack_shard(found))
    facts = [_fact(key, case["mask"]) for key, case in found.items()]
    INDEX.write_text(json.dumps({"dataset": CARD.dataset | {"channels": 1}, "samples": facts}))
    ids = list(found)
    SPLIT.write_text(json.dumps({"train": ids[:8], "val": ids[8:], "test": []}))
    ENCODER.parent.mkdir()
    ENCODER.write_bytes(NO_WEIGHTS)


def _versions() -> dict[str, str]:
    return {"torch": version("torch").partition("+")[0]}


def _fact(key: str, mask: torch.Tensor) -> dict[str, Any]:
    return {
        "id": key,
        "group": key,
        "digest": key,
        "shape": list(mask.shape),
        "dtype": "uint8",
        "fingerprint": "0",
        "pixels": torch.bincount(mask.flatten(), minlength=2).tolist(),
        "ignored": 0,
    }
