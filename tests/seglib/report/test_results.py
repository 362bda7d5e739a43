import json
import re
from pathlib import Path

import pytest

from seglib.errors import SegError
from seglib.report.results import read_results
from seglib.statistics import Interval
from tests.report_files import Made, write_files


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """The files of a run, which tests may change for a while."""
    root = tmp_path_factory.mktemp("written")
    write_files(root, Made(ids=("a", "b"), drawn=0, thumbnails=False))
    return root


@pytest.fixture
def inside_written(written, monkeypatch) -> Path:
    monkeypatch.chdir(written)
    return written


def test_the_files_are_read_as_they_were_written(write):
    results = write(classes=("polyp", "ulcer"))
    assert [found.name for found in results.classes] == ["polyp", "ulcer"]
    assert results.confusion["background", "polyp"] == Interval(0.03, 0.024, 0.224)
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
    ("name", "content", "told"),
    [
        ("data/index.json", "[]", "must hold a mapping, found list;"),
        ("data/index.json", '{"dataset": {}, "samples": []}', "no dataset.name, dataset.classes,"),
        ("data/quality.json", "{}", "no findings, accepted, clusters, summary;"),
        ("data/split.json", "{}", "no train, val, test, summary;"),
        ("data/split.json", '{"train": [], "val": [], "test": [], "summary": []}', "no summary.balance;"),
        ("reports/train/metrics.json", "[]", "must hold names and numbers, found list;"),
        ("reports/train/metrics.json", '{"epochs": 3}', "no best_epoch, val_dice,"),
        ("reports/evaluate/metrics.json", "{}", "no conventions, n, n_groups,"),
        ("reports/evaluate/metrics.json", '{"dice": NaN}', "must hold finite numbers: dice is nan;"),
        ("reports/evaluate/metrics.json", '{"dice": "0.9"}', "must hold finite numbers: dice is '0.9';"),
        ("reports/train/plots/loss.tsv", "epoch\ttrain\tval\n1\t0.5\n", "not 3 cells in line 2;"),
        ("reports/train/plots/lr.tsv", "epoch\tlr\n1\t0.5\t9\n", "not 2 cells in line 2;"),
        ("reports/train/plots/dice.tsv", "epoch\tval\nfirst\t0.5\n", "could not convert string to float: 'first';"),
        pytest.param("reports/train/plots/dice.tsv", "5" * 200_000, "no table (field larger than", id="long"),
        ("reports/evaluate/plots/classes.tsv", "class\tn\tn_empty\tn_missed\tfrequency\n", "no class;"),
        ("reports/evaluate/plots/calibration.tsv", "\udcff", "not UTF-8 ("),
        ("reports/evaluate/cases.csv", "\udcff", "not UTF-8 ("),
    ],
)
def test_a_file_with_other_content_is_told(inside_written, name, content, told):
    place = inside_written / name
    before = place.read_bytes()
    place.write_text(content, errors="surrogateescape")
    try:
        with pytest.raises(SegError, match=f"^{re.escape(f'{name}: {told}')}"):
            read_results()
    finally:
        place.write_bytes(before)


@pytest.mark.parametrize(("in_mm", "unit"), [(0, "pixels"), (1, "mm")])
def test_the_unit_of_distances_is_that_of_the_metrics(write, in_mm, unit):
    write(ids=("a", "b"))
    file = Path("reports/evaluate/metrics.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"distances_in_mm": in_mm}))
    assert read_results().distance == unit


def test_volumes_have_voxels(write):
    results = write(volumes=True)
    assert (results.pixels, results.distance) == ("voxels", "mm")
