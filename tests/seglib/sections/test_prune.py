"""`prune` in params.yaml."""

import pytest

from seglib.config import parse
from seglib.errors import SegError
from seglib.sections.prune import Prune


@pytest.mark.parametrize("ratio", [0.0, 0, 0.5, 0.99])
def test_a_share_below_one_is_taken(ratio):
    assert parse(Prune, {"ratio": ratio, "epochs": 1, "lr": 0.001}, "prune").ratio == ratio


@pytest.mark.parametrize(("key", "value"), [("ratio", 1.0), ("ratio", -0.1), ("epochs", 0), ("lr", 0.0)])
def test_everything_else_is_refused(key, value):
    with pytest.raises(SegError, match=f"prune.{key}: .*found {value}"):
        parse(Prune, {"ratio": 0.5, "epochs": 1, "lr": 0.001, key: value}, "prune")
