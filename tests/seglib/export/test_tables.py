"""What the export writes down."""

import csv
import json

from seglib.export.parity import Figures
from seglib.export.tables import metrics, write_tables
from seglib.statistics import Interval

NONE, SOME, TINY = Interval(0.0, 0.0, 0.0), Interval(0.01234567, -0.001, 0.026), Interval(-1e-9, None, None)
FIGURES = {
    "torch": Figures(0.91234567, NONE, "torch", NONE, 0.0, 5000, exact=False),
    "onnx": Figures(0.9, SOME, "torch", SOME, 1.23456e-06, 4000, exact=True),
    "few_groups": Figures(0.9, TINY, "torch", TINY, 0.5, 3000, exact=False),
}
TIMES = {
    name: {"batch_1": {"median_ms": 10.0 + i}, "batch_8": {"median_ms": 80.0 + i}} for i, name in enumerate(FIGURES)
}


def read(file):
    with file.open(newline="") as content:
        return list(csv.reader(content, delimiter="\t"))


def test_metrics_are_flat_finite_numbers():
    found = metrics(FIGURES)
    assert found["torch/dice"] == 0.912346
    assert [found[f"onnx/{name}"] for name in ("dice_drop", "dice_drop_low", "dice_drop_high")] == [
        0.012346, -0.001, 0.026,
    ]  # fmt: skip
    assert (found["onnx/max_error"], found["onnx/bytes"]) == (1.23e-06, 4000)
    assert "few_groups/dice_drop_low" not in found
    assert str(found["few_groups/dice_drop"]) == "0.0"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_variant_of_the_pruned_model_has_both_drops():
    pruned = Figures(0.8, SOME, "pruned", NONE, 0.0, 2000, exact=False)
    variant = Figures(0.8, SOME, "pruned", Interval(0.0012345678, 0.0, None), 1e-6, 1000, exact=True)
    found = metrics(FIGURES | {"pruned": pruned, "pruned_onnx": variant})
    assert (found["pruned_onnx/dice_drop"], found["pruned_onnx/dice_drop_from_pruned"]) == (0.012346, 0.001235)
    assert [key for key in found if "_from_" in key] == [
        "pruned_onnx/dice_drop_from_pruned", "pruned_onnx/dice_drop_from_pruned_low",
    ]  # fmt: skip


def test_tables_have_a_row_for_each_model(tmp_path):
    write_tables(tmp_path / "plots", FIGURES, TIMES | {"host": {}})
    dice, latency = (read(tmp_path / f"plots/{name}.tsv") for name in ("dice", "latency"))
    assert dice[0] == ["variant", "dice", "dice_drop", "low", "high", "bytes"]
    assert dice[2] == ["onnx", "0.9", "0.012346", "-0.001", "0.026", "4000"]
    assert dice[3] == ["few_groups", "0.9", "0.0", "", "", "3000"]
    assert latency[0] == ["variant", "batch", "latency_ms", "dice"]
    assert latency[1:3] == [["torch", "1", "10.0", "0.912346"], ["torch", "8", "80.0", "0.912346"]]
    assert len(latency) == 1 + 2 * len(FIGURES)


def test_without_timing_there_is_a_header_alone(tmp_path):
    write_tables(tmp_path, FIGURES, {})
    assert (tmp_path / "latency.tsv").read_bytes() == b"variant\tbatch\tlatency_ms\tdice\n"
