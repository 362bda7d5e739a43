"""What the stage leaves beside its model, and what it leaves alone."""

import json
from pathlib import Path

import pytest

import stages.train
from seglib.paths import BEST
from tests.prepared import prepare, small_params

METRICS = Path("reports/train/metrics.json")
LOGS = Path("reports/train/logs/workspace")


@pytest.fixture(autouse=True)
def folder(own_folder, monkeypatch):
    """An empty folder, of no experiment."""
    for name in ("DVC_ROOT", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)


def train(**settings):
    prepare(small_params(**settings))
    stages.train.main()


@pytest.mark.parametrize("deterministic", [True, False])
def test_the_metrics_tell_whether_the_training_can_be_repeated(deterministic):
    train(deterministic=deterministic)
    assert json.loads(METRICS.read_text())["deterministic"] is deterministic


def test_a_model_that_is_a_link_into_a_cache_leaves_the_cache_alone():
    prepare(small_params())
    cached = Path("cached.pt")
    cached.write_bytes(b"an older model")
    BEST.symlink_to(cached.absolute())
    stages.train.main()
    assert cached.read_bytes() == b"an older model"
    assert not BEST.is_symlink()


def test_the_rescued_model_of_a_training_that_diverged_outlasts_the_next_start():
    LOGS.mkdir(parents=True)
    rescued = LOGS / "last_good.pt"
    rescued.write_bytes(b"the best so far")
    train()
    assert rescued.read_bytes() == b"the best so far"
