import json
from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.report.results import read_results


def test_the_files_are_read_as_they_were_written(write):
    results = write(classes=("polyp", "ulcer"))
    assert [found.name for found in results.classes] == ["polyp", "ulcer"]
    assert results.confusion["background", "polyp"] == 0.03
    assert {found.name for found in results.calibration} == {"polyp", "ulcer"}
    assert len(results.curves["dice.val"]) == 40
    assert results.classes[0].figures["dice"] == pytest.approx(results.metrics["dice"], abs=0.2)
    assert len(results.test_samples) == 24


def test_overlapping_classes_have_no_confusion_matrix(write):
    assert write(overlapping=True).confusion == {}


@pytest.mark.parametrize(
    "name",
    ["data/index.json", "data/quality.json", "data/split.json", "reports/train/metrics.json",
     "reports/train/plots/loss.tsv", "reports/train/plots/dice.tsv", "reports/train/plots/lr.tsv",
     "reports/evaluate/metrics.json", "reports/evaluate/cases.csv", "reports/evaluate/plots/classes.tsv",
     "reports/evaluate/plots/confusion.tsv", "reports/evaluate/plots/calibration.tsv"],
)  # fmt: skip
def test_a_missing_file_is_told(write, name):
    write()
    Path(name).unlink()
    with pytest.raises(SegError, match=f"^{name} is missing: run `dvc repro`$"):
        read_results()


def test_a_broken_file_is_told(write):
    write()
    Path("data/split.json").write_text("{")
    with pytest.raises(SegError, match=r"^data/split.json: not valid JSON"):
        read_results()


def test_a_missing_column_is_told(write):
    write()
    Path("reports/train/plots/loss.tsv").write_text("epoch\ttrain\n1\t0.5\n")
    with pytest.raises(SegError, match=r"^reports/train/plots/loss.tsv: no column val"):
        read_results()


@pytest.mark.parametrize(
    ("spacings", "unit"),
    [((None, None), "pixels"), (([1, 1], [2, 2]), "mm"), (([1, 1], None), "mm or pixels")],
)
def test_the_unit_of_distances_is_that_of_the_test_side(write, spacings, unit):
    write(ids=("a", "b"))
    index = json.loads(Path("data/index.json").read_text())
    for sample in index["samples"]:
        sample["spacing"] = dict(zip("ab", spacings, strict=True)).get(sample["id"], [9, 9])
    Path("data/index.json").write_text(json.dumps(index))
    assert read_results().distance == unit


def test_volumes_have_voxels(write):
    results = write(volumes=True)
    assert (results.pixels, results.distance) == ("voxels", "mm")
