import json

import pytest

from seglib.errors import SegError
from seglib.metrics_file import parse_json, parse_metrics


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not valid JSON"),
        ('{"dice": 0.9', "not valid JSON"),
        pytest.param("[" * 100_000, "not valid JSON", id="deep"),
        pytest.param(f'{{"n": {"9" * 5000}}}', "not valid JSON", id="5000 digits"),
        ("[1]", "must hold names and numbers, found list"),
        ('{"dice": NaN, "iou": 0.5, "conventions": 1}', "must hold finite numbers: dice is nan;"),
        ('{"dice": 1e999, "conventions": 1}', "dice is inf;"),
        ('{"dice": -Infinity, "conventions": 1}', "dice is -inf;"),
        pytest.param(f'{{"n": {"9" * 400}}}', f"n is {'9' * 60};", id="400 digits"),
        ('{"dice": null, "iou": "0.5", "conventions": 1}', "dice is None, iou is '0.5';"),
        ('{"polyp": {"dice": 0.9}, "conventions": 1}', "polyp is {'dice': 0.9};"),
        ('{"dice": 0.9}', "no conventions, so it is of older code; run `dvc repro`"),
    ],
)
def test_broken_metrics_are_refused(text, told):
    with pytest.raises(SegError) as refused:
        parse_metrics(text, "main: metrics.json", "conventions")
    assert str(refused.value).startswith("main: metrics.json: ")
    assert told in str(refused.value)


def test_whole_metrics_are_read():
    content = {"conventions": 1, "n": 3, "dice": 0.25, "polyp/dice": 0.0, "deterministic": True}
    assert parse_metrics(json.dumps(content), "source", "conventions", "n") == content
    assert parse_json("[1, null]", "source") == [1, None]
