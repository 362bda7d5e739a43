"""Times of a training, apart from its results."""

from itertools import count
from types import SimpleNamespace

from seglib import engine
from seglib.curves import timing
from seglib.engine import Epoch
from tests.training import Recipe


def test_throughput_is_that_of_training_without_validation():
    history = [Epoch(i, 0.1, 1.0, 1.0, 0.5, seconds=4.0, trained=2.5, waited=0.25) for i in (1, 2)]
    found = timing(history, 100)
    assert found.pop("peak_memory_gb") > 0
    assert found == {
        "seconds": 8.0,
        "seconds_without_validation": 5.0,
        "waited_for_data": 0.5,
        "images_per_second": 40.0,
    }


def test_an_epoch_tells_training_and_validation_apart(monkeypatch):
    monkeypatch.setattr(engine, "time", SimpleNamespace(perf_counter=count().__next__))
    run = Recipe().build()
    run.fit(lambda *_: None)
    assert all(0 < epoch.waited < epoch.trained < epoch.seconds for epoch in run.history)
    assert [epoch.seconds - epoch.trained for epoch in run.history] == [1] * 4
