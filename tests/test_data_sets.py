"""Every data set goes through the real pipeline: from its published layout, and from the real archives."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.test_datasets import OWN_FILES
from tests.project import STAGES, TINY, Project, make_project

UP_TO_SPLIT = list(STAGES[: STAGES.index("split") + 1])
QUICK = ("dicom", "coco")
"""The others are slow tests; `covid19_ct` trains below."""
REAL: dict[str, tuple[str, dict[str, Any]]] = {
    "carvana": ("carvana-image-masking-challenge.zip", {}),
    "dsb2018": ("data-science-bowl-2018.zip", {"preprocess.resize": "native"}),
    "camvid": ("CamVid.zip", {}),
    "msd": ("Task04_Hippocampus.tar", {"preprocess.resize": "pad"}),
    "dicom": ("STS_001.zip", {}),
}


def start(tmp_path: Path, name: str, path: Path, params: dict[str, Any]) -> Project:
    values = {**TINY, "data.name": name, "data.path": str(path), "check.contact_sheet": 12, **params}
    return make_project(tmp_path / "project", values)


def from_layout(tmp_path: Path, name: str, params: dict[str, Any]) -> Project:
    options = importlib.import_module(f"tests.layouts.{name}").build(tmp_path / "data")
    return start(tmp_path, name, tmp_path / "data", {**{f"data.{name}.{k}": v for k, v in options.items()}, **params})


def sides(project: Project) -> dict[str, Any]:
    return json.loads((project.root / "data/split.json").read_text())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in OWN_FILES]
)
def test_published_layout_comes_to_the_split(tmp_path, name):
    project = from_layout(tmp_path, name, {})
    assert project.repro("split").ran == UP_TO_SPLIT
    found = sides(project)
    assert all(found[side] for side in ("train", "val", "test"))
    samples = json.loads((project.root / "data/index.json").read_text())["samples"]
    assert sum(len(found[side]) for side in ("train", "val", "test")) == len(samples)
    if not any(sample["side"] for sample in samples):
        assert found["summary"]["leaks"] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_archive_trains_an_epoch(tmp_path, real_data, name):
    archive, params = REAL[name]
    project = start(tmp_path, name, real_data / archive, {"train.epochs": 1, "preprocess.image_size": 64, **params})
    if name == "dicom":  # one patient, who cannot be on several sides
        failed = project.run("dvc", "repro", "split", check=False)
        assert "in 1 groups cannot be split" in failed.stderr + failed.stdout
        return
    assert project.repro().ran == list(STAGES)


def test_overlapping_classes_train_and_are_measured_each(tmp_path):
    project = from_layout(tmp_path, "covid19_ct", {"train.epochs": 3, "augment.name": "ct", "train.batch_size": 4})
    assert project.repro().ran == list(STAGES)
    metrics = json.loads((project.root / "reports/evaluate/metrics.json").read_text())
    assert {"lung/dice", "infection/dice"} <= metrics.keys()


@pytest.mark.slow
def test_crops_of_native_images_train(tmp_path):
    project = from_layout(tmp_path, "dsb2018", {"preprocess.resize": "native", "train.epochs": 1})
    assert project.repro().ran == list(STAGES)


def test_folds_measure_every_sample_once(tmp_path):
    values = {"data.name": "synthetic", "data.synthetic.count": 20, "data.synthetic.per_group": 2, "split.folds": 3}
    project = make_project(tmp_path / "project", {**TINY, **values})
    project.repro("check")
    tested: list[str] = []
    for fold in range(3):
        project.set_params({"split.fold": fold})
        project.run("python", "-m", "seglib.stage", "split")
        tested += sides(project)["test"]
    assert sorted(tested) == [f"{i:07d}" for i in range(20)]
