"""Where the stages meet: the files and folders that `dvc.yaml` names."""

import os
from pathlib import Path

PARAMS = Path("params.yaml")
VERSIONS = Path("versions.yaml")
PIPELINE = Path("dvc.yaml")
PUBLISHED = Path("data/published")
CONFIG = Path("data/config.txt")
RAW = Path("data/raw")
INDEX = Path("data/index.json")
CACHE = Path("data/cache")
QUALITY = Path("data/quality.json")
CONTACT_SHEET = Path("reports/check/contact_sheet.png")
ACCEPTED = Path("accepted.txt")
SPLIT = Path("data/split.json")
ENCODER = Path("models/encoder.pth")
BEST = Path("models/best.pt")
LAST = Path("models/last.pt")
TRAIN_REPORT = Path("reports/train")
EVALUATE_REPORT = Path("reports/evaluate")
PRUNED = Path("models/pruned.pt")
PRUNE_REPORT = Path("reports/prune")
EXPORT = Path("models/export")
SOURCE = "source.json"
"""Beside the exported files: file of each torch model that they were made of → its sha256; empty without any."""
EXPORT_REPORT = Path("reports/export")


def main_repository() -> Path:
    """The user's own checkout, also from inside `dvc exp run --temp` and the queue."""
    return Path(os.environ.get("DVC_ROOT", "."))


def store() -> Path:
    """State that outlives a stage's outputs, shared by all experiments of one checkout."""
    return main_repository() / ".store"


def training_logs() -> Path:
    """Where this run's times, events and rescued model go: none of them is an output."""
    return main_repository() / "reports/train/logs" / os.environ.get("DVC_EXP_NAME", "workspace")
