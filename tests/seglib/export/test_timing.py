"""Models timed side by side, each in a process of its own."""

import json

import numpy as np
import pytest
import torch

from seglib.checkpoint import build_segmenter, save_checkpoint
from seglib.errors import SegError
from seglib.export.timed import CALLS, milliseconds
from seglib.export.timing import Runner, time_models
from tests.model_cards import CARD

CPU = torch.device("cpu")
IMAGE = np.random.default_rng(0).integers(0, 255, (3, 24, 32)).astype(np.uint8)


@pytest.fixture
def model(tmp_path):
    segmenter = build_segmenter(CARD, torch.full((3,), 100.0), torch.full((3,), 50.0))
    save_checkpoint(tmp_path / "best.pt", CARD, segmenter.state_dict())
    return tmp_path / "best.pt"


def test_a_model_has_latencies_throughput_and_memory(model):
    found = time_models({"torch": Runner(model, CPU)}, IMAGE, threads=1, rounds=2)
    assert set(found) == {"torch", "host"}
    assert 50 < found["torch"].pop("peak_memory_mb") < 10_000
    assert set(found["torch"]) == {"batch_1", "batch_8"}
    for batch, figures in ((1, found["torch"]["batch_1"]), (8, found["torch"]["batch_8"])):
        assert 0 < figures["median_ms"] <= figures["p95_ms"]
        assert figures["images_per_second"] == pytest.approx(1000 * batch / figures["median_ms"], rel=0.01)
    assert found["host"]["threads"] == 1
    assert found["host"]["versions"]["torch"] == torch.__version__
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_model_that_cannot_be_opened_is_told(tmp_path, capfd):
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no model")
    with pytest.raises(SegError, match=r"broken\.pt: cannot be timed, its process ended with 1 .*export\.rounds: 0"):
        time_models({"torch": Runner(broken, CPU)}, IMAGE, threads=1, rounds=1)
    assert "not a readable model file" in capfd.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_gpu_is_opened_as_where_the_model_is_used(model, capfd):
    with pytest.raises(SegError, match="cannot be timed"):
        time_models({"torch": Runner(model, torch.device("cuda"))}, IMAGE, threads=1, rounds=1)
    assert "this PyTorch sees no GPU; set it to auto or cpu" in capfd.readouterr().err


def test_the_first_call_of_a_turn_does_not_count(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    seen = []

    def model(batch):
        seen.append(tuple(batch.shape))
        if len(seen) == 1:
            next(clock)
        return batch

    assert milliseconds(model, torch.zeros(8, 3, 4, 4)) == [1000.0] * CALLS
    assert seen == [(8, 3, 4, 4)] * (1 + CALLS)
