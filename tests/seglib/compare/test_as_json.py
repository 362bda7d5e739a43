import json

import pytest

from seglib.compare.as_json import as_json
from seglib.statistics import Interval
from tests.comparisons import compared


def test_keys_and_values_are_those_that_a_program_reads():
    found = json.loads(as_json(compared(notes=("one",))), parse_constant=pytest.fail)
    assert list(found) == [
        "verdict", "reason", "subject", "rule", "drop", "whole_drop", "undecided_classes", "base", "head",
        "n", "n_groups", "figures", "most_improved", "most_worsened", "recipe", "notes",
    ]  # fmt: skip
    assert found["verdict"] == "fail"
    assert found["rule"] == {"metric": "dice", "max_drop": 0.01, "confidence": 0.95}
    assert found["drop"] == {"value": 0.05, "low": 0.03, "high": 0.07}
    assert found["base"] == {"name": "main (0a1b2c3)", "runs": ["main (0a1b2c3)"]}
    assert found["figures"]["hd95"] == {
        "base": 12.3456, "head": 10.0, "difference": {"value": -2.3456, "low": -4.0, "high": -0.5},
        "p": 0.0312, "better": 0.6, "worse": 0.4, "direction": -1,
    }  # fmt: skip
    assert found["figures"]["assd"]["difference"] == {"value": 0.5, "low": None, "high": None}
    assert found["most_improved"] == [{"id": "up", "group": "g1", "base": 0.5, "head": 0.75, "gain": 0.25}]
    assert [case["id"] for case in found["most_worsened"]] == ["down"]
    assert found["recipe"][1] == {"kind": "parameter", "name": "model.unetpp.depth", "base": [], "head": [5]}
    assert found["notes"] == ["one"]


def test_a_comparison_without_an_interval_is_strict_json():
    found = json.loads(as_json(compared(drop=Interval(0.0, None, None))), parse_constant=pytest.fail)
    assert (found["verdict"], found["drop"]["low"]) == ("warn", None)
