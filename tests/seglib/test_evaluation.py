import csv
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seglib.case_table import parse_cases, write_cases
from seglib.evaluation import Case, Evaluation
from seglib.head import Head
from seglib.io.sample import IGNORE
from seglib.measures import COLUMNS, FIGURES, OF_CASES
from seglib.metrics import CONVENTIONS, at_model_size, measure
from tests.project import REPOSITORY

CLASSES = ("background", "one", "two")
SOFTMAX = Head(3, sigmoid=False, overlapping=False)
OVERLAPPING = Head(3, sigmoid=True, overlapping=True)


def case(truth, guess, number=0, head=SOFTMAX, probabilities=None, small=None):
    """A measured pair of maps; unless told otherwise the model gives every plane one half."""
    truth, guess = np.array(truth, np.uint8), np.array(guess, np.uint8)
    if probabilities is None:
        probabilities = np.full((head.planes, *truth.shape), 0.5, np.float32)
    measured = measure(truth, guess, probabilities, head, spacing=None, tolerance=1.0)
    there, found = (np.array(each, np.uint8) for each in small or (truth, guess))
    return Case(f"case{number}", f"group{number}", measured, at_model_size(there, found, head))


IN_ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""Environment in which Python opens text files as ASCII, unless told otherwise."""
WRITING = """
from dataclasses import replace
from pathlib import Path
from seglib.case_table import write_cases
from tests.seglib.test_evaluation import evaluation
found = replace(evaluation(([[1, 0, 2]], [[1, 1, 2]])), classes=("background", "L\\u00e4sion", "two"))
write_cases(Path("cases.csv"), found.table)
found.write_plots(Path())
"""


def evaluation(*pairs, head=SOFTMAX, groups=None):
    cases = [case(truth, guess, number, head) for number, (truth, guess) in enumerate(pairs)]
    if groups:
        cases = [replace(each, group=group) for each, group in zip(cases, groups, strict=True)]
    return Evaluation(cases, CLASSES, 0.95)


def test_tables_are_utf_8_whatever_the_locale(tmp_path):
    environment = os.environ | IN_ASCII | {"PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", WRITING], cwd=tmp_path, env=environment, check=True)
    for name in ("cases.csv", "classes.tsv", "confusion.tsv", "calibration.tsv"):
        assert "Läsion" in (tmp_path / name).read_text(encoding="utf-8"), name


def test_mean_averages_cases_then_classes_and_pooled_divides_sums():
    metrics = evaluation(([[1] * 8], [[1] * 8]), ([[1, 0, 2]], [[0, 1, 2]])).metrics()
    assert metrics["one/dice"] == 0.5
    assert metrics["two/dice"] == 1
    assert metrics["dice"] == 0.75
    assert metrics["iou"] == 0.75
    assert metrics["dice_pooled"] == pytest.approx((2 * 8 / 18 + 1) / 2, abs=1e-6)
    assert metrics["iou_pooled"] == pytest.approx((8 / 10 + 1) / 2, abs=1e-6)
    assert metrics["precision_pooled"] == metrics["recall_pooled"] == pytest.approx((8 / 9 + 1) / 2, abs=1e-6)


def test_class_that_is_nowhere_has_no_part_in_the_mean():
    metrics = evaluation(([[1, 0]], [[1, 0]])).metrics()
    assert metrics["dice"] == metrics["dice_pooled"] == 1
    assert not {"two/dice", "two/iou"} & metrics.keys()
    assert (metrics["two/n"], metrics["two/n_empty"], metrics["two/frequency"]) == (0, 1, 0)


def test_cases_are_counted_by_class_and_summed_up():
    metrics = evaluation(([[1, 2]], [[1, 0]]), ([[1, 0]], [[0, 2]]), ([[1, 0]], [[1, 0]])).metrics()
    assert [metrics[f"one/{name}"] for name in ("n", "n_empty", "n_missed")] == [3, 0, 1]
    assert [metrics[f"two/{name}"] for name in ("n", "n_empty", "n_missed")] == [2, 1, 1]
    assert (metrics["n_empty"], metrics["n_missed"], metrics["n"], metrics["n_groups"]) == (1, 2, 3, 3)
    assert metrics["two/dice"] == 0


def test_figures_with_background_are_pooled_over_all_pixels_that_count():
    metrics = evaluation(([[0, 0, 0, 1]], [[0, 0, 1, 1]]), ([[0, IGNORE]], [[0, 1]])).metrics()
    assert metrics["pixel_accuracy"] == 0.8
    assert metrics["iou_pooled_with_background"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert metrics["one/frequency"] == 0.2


def test_objects_are_pooled():
    metrics = evaluation(([[1, 0, 1, 0, 1]], [[1, 0, 1, 0, 0]]), ([[1, 0, 0, 0, 0]], [[0, 0, 1, 0, 1]])).metrics()
    found, missed, false = 2, 2, 2
    assert metrics["lesion_recall"] == found / 4
    assert metrics["lesion_precision"] == 2 / 4
    assert metrics["lesion_f1"] == 2 * found / (2 * found + missed + false)


def test_precision_of_a_class_that_is_never_predicted_stays_out_of_the_pooled_mean():
    metrics = evaluation(([[1, 2]], [[1, 0]])).metrics()
    assert metrics["precision_pooled"] == metrics["lesion_precision"] == 1
    assert metrics["precision"] == metrics["recall_pooled"] == metrics["lesion_recall"] == 0.5


def test_volume_difference_keeps_its_sign():
    metrics = evaluation(([[1, 1, 0, 0]], [[1, 1, 1, 0]]), ([[1, 1, 0, 0]], [[0, 0, 0, 0]]), ([[0] * 4], [[1] * 4]))
    assert metrics.metrics()["volume_difference"] == pytest.approx((0.5 - 1) / 2)


def test_figures_at_model_size_are_of_the_other_maps():
    found = Evaluation([case([[1, 1]], [[1, 1]], small=([[1, 1]], [[1, 0]]))], CLASSES, 0.95).metrics()
    assert found["dice"] == 1
    assert found["dice_at_model_size"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["iou_at_model_size"] == 0.5


def test_every_figure_has_its_interval_over_groups():
    pairs = [([[1] * 4 + [0] * 4], [[1] * n + [0] * (8 - n)]) for n in (1, 2, 3, 5, 6, 7)]
    metrics = evaluation(*pairs, groups=list("aabbcc")).metrics()
    for name in (*(figure.name for figure in FIGURES), "pixel_accuracy", "iou_pooled_with_background"):
        if metrics[name] in (0, 1) and name != "volume_difference":
            assert f"{name}_low" not in metrics, name
        else:
            assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"], name
    assert metrics["dice_low"] < metrics["dice"] < metrics["dice_high"]
    assert metrics["n_groups"] == 3
    assert evaluation(*pairs, groups=list("aabbcc")).metrics() == metrics


def test_one_group_gives_figures_without_intervals():
    metrics = evaluation(([[1, 0]], [[1, 0]]), ([[1, 0]], [[0, 1]]), groups=["a", "a"]).metrics()
    assert metrics["dice"] == 0.5
    assert not [name for name in metrics if name.endswith(("_low", "_high"))]


def test_overlapping_classes_have_no_figure_with_background_and_no_confusion(tmp_path):
    found = evaluation(([[1, 3, 2, 0]], [[3, 1, 2, 0]]), head=OVERLAPPING)
    metrics = found.metrics()
    assert metrics["dice"] == 0.75
    assert metrics["two/frequency"] == 0.5
    assert not {"pixel_accuracy", "iou_pooled_with_background"} & metrics.keys()
    found.write_plots(tmp_path)
    assert (tmp_path / "confusion.tsv").read_text() == "truth\tprediction\tpixels\tshare\tshare_low\tshare_high\n"


def test_metrics_state_the_version_of_the_conventions():
    assert evaluation(([[1]], [[1]])).metrics()["conventions"] == CONVENTIONS


def test_a_test_side_of_which_no_pixel_counts_has_numbers_only():
    metrics = evaluation(([[IGNORE]], [[1]])).metrics()
    assert metrics.keys() == {"conventions", "n", "n_groups", "n_empty", "n_missed"} | {
        f"{name}/{key}" for name in CLASSES[1:] for key in ("n", "n_empty", "n_missed")
    } | {f"{mean.name}_n" for mean in OF_CASES}


def test_class_table_has_numbers_and_figures_with_bounds(tmp_path):
    found = evaluation(([[1, 2, 0]], [[1, 0, 0]]), ([[1, 0, 0]], [[1, 0, 0]]), ([[1, 0, 0]], [[0, 1, 0]]))
    found.write_plots(tmp_path / "plots")
    header, one, two = _read(tmp_path / "plots/classes.tsv")
    assert header == ["class", "n", "n_empty", "n_missed"] + [
        f"{name}{end}" for name in ("frequency", *(figure.name for figure in FIGURES)) for end in ("", "_low", "_high")
    ]
    first, second = dict(zip(header, one, strict=True)), dict(zip(header, two, strict=True))
    assert [*one[:5], first["dice"]] == ["one", "3", "0", "1", "0.333333", "0.666667"]
    assert [*two[:5], second["dice"]] == ["two", "1", "2", "1", "0.111111", "0.0"]
    assert float(first["dice_low"]) < 2 / 3 < float(first["dice_high"])
    assert second["dice_low"] == second["precision_pooled"] == ""
    assert (first["lesion_recall"], second["lesion_recall"]) == ("0.666667", "0.0")


def test_confusion_rows_hold_pixels_and_shares_of_the_truth(tmp_path):
    evaluation(([[0, 0, 0, 1]], [[0, 0, 1, 1]]), ([[0, IGNORE]], [[0, 1]])).write_plots(tmp_path)
    header, *rows = _read(tmp_path / "confusion.tsv")
    assert header == ["truth", "prediction", "pixels", "share", "share_low", "share_high"]
    assert [row[:2] for row in rows] == [[truth, guess] for truth in CLASSES for guess in CLASSES]
    assert [row[2] for row in rows] == ["3", "1", "0", "0", "1", "0", "0", "0", "0"]
    assert [float(row[3]) for row in rows] == [0.75, 0.25, 0, 0, 1, 0, 0, 0, 0]


def test_frequencies_and_confusion_have_intervals_over_groups(tmp_path):
    """Half and a quarter of the pixels are of the class, of which all and half are found; 4 pixels a case."""
    pairs = ([[0, 0, 1, 1]], [[0, 0, 1, 1]]), ([[0, 0, 0, 1]], [[0, 0, 0, 0]]), ([[0, 0, 1, 1]], [[0, 0, 1, 0]])
    evaluation(*pairs).write_plots(tmp_path)
    header, one, two = _read(tmp_path / "classes.tsv")
    rows = {tuple(row[:2]): row[3:] for row in _read(tmp_path / "confusion.tsv")[1:]}
    share, low, high = map(float, rows["one", "background"])
    assert 0 < low < share == 0.4 < high < 1
    assert rows["background", "background"] == ["1.0", "", ""], "at the end of its scale"
    first = dict(zip(header, one, strict=True))
    assert 0 < float(first["frequency_low"]) < float(first["frequency"]) == 0.416667 < float(first["frequency_high"])
    assert two[4:7] == ["0.0", "", ""]


def test_calibration_rows_pool_the_bins_of_all_cases(tmp_path):
    planes = [[[0.2, 0.9]], [[0.7, 0.1]], [[0.1, 0.0]]]
    cases = [case(truth, [[1, 0]], probabilities=np.array(planes, np.float32)) for truth in ([[1, 0]], [[0, 0]])]
    Evaluation(cases, CLASSES, 0.95).write_plots(tmp_path)
    assert _read(tmp_path / "calibration.tsv") == [
        ["class", "confidence", "frequency", "pixels"],
        ["one", "0.1", "0.0", "2"],
        ["one", "0.7", "0.5", "2"],
        ["two", "0.0", "0.0", "2"],
        ["two", "0.1", "0.0", "2"],
    ]


def test_table_is_what_cases_csv_holds(tmp_path):
    found = evaluation(([[1, 2]], [[1, 0]]), ([[1, 0]], [[0, 0]]), groups=["b", "a"])
    assert tuple(found.table.columns) == COLUMNS
    write_cases(tmp_path / "cases.csv", found.table)
    again = parse_cases((tmp_path / "cases.csv").read_text(), "cases.csv")
    assert (again.ids, again.groups, again.classes) == (("case0", "case1"), ("b", "a"), ("one", "two"))
    for name, values in found.table.columns.items():
        np.testing.assert_allclose(again.columns[name], values, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([SOFTMAX, OVERLAPPING]))
def test_metrics_are_flat_and_finite(seed, number, head):
    random = np.random.default_rng(seed)
    most = 4 if head.overlapping else 3
    pairs = [random.integers(0, random.integers(1, most + 1), (2, 3, 3)) for _ in range(number)]
    for truth, _ in pairs:
        truth[random.random(truth.shape) < 0.3] = IGNORE
    metrics = evaluation(*pairs, head=head, groups=[str(random.integers(3)) for _ in pairs]).metrics()
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert all(type(value) in (int, float) for value in metrics.values())
    table = {name: metrics[name] for name in metrics if name.endswith("/dice")}
    if table:
        assert metrics["dice"] == pytest.approx(np.mean(list(table.values())), abs=2e-6)


def _read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file, delimiter="\t"))
