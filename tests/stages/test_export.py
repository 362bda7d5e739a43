"""The export stage in a small project: what it writes, and that a model which fails leaves nothing."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import cv2
import pytest
import torch
from ruamel.yaml import YAML

import stages.export
from seglib.checkpoint import build_segmenter, save_checkpoint
from seglib.config import read_yaml
from seglib.deployed import open_model
from seglib.errors import SegError
from seglib.export import exporting, variants
from seglib.export.calibration import calibration_images
from seglib.io.cache import pack_shard
from seglib.paths import BEST, CACHE, EXPORT, EXPORT_REPORT, PRUNED, SOURCE, SPLIT
from seglib.report.exported import read_exported
from seglib.sections.export import VARIANTS
from seglib.sections.prune import NO_MODEL
from tests.model_cards import card
from tests.project import REPOSITORY, make_images

VAL = [f"case{i:02d}" for i in range(6)]
OWN = card(
    image_size=32,
    classes=[{"name": "background", "colour": [0, 0, 0]}, {"name": "foreground", "colour": [9, 9, 9]}],
)
EXPORTING = {"variants": ["onnx"], "max_dice_drop": 0.005, "calibration": 4, "rounds": 0, "confidence": 0.95}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with what the stage reads."""
    monkeypatch.chdir(tmp_path)
    data = make_images(tmp_path / "own", len(VAL))
    export()
    params = read_yaml(Path("params.yaml"))
    params["data"] |= {"name": "folder", "path": str(data)}
    write_params(params)
    write_model(BEST, seed=0)
    PRUNED.write_bytes(NO_MODEL)
    SPLIT.parent.mkdir()
    SPLIT.write_text(json.dumps({"train": [], "val": VAL, "test": []}))
    CACHE.mkdir()
    (CACHE / "shard-000.pt").write_bytes(pack_shard({name: {"image": cached(data, name)} for name in VAL}))


def cached(data, name):
    image = cv2.imread(str(data / f"images/{name}.png"))
    assert image is not None
    return torch.from_numpy(cv2.resize(image, (32, 32))).movedim(-1, 0).contiguous()


def export(**settings):
    """Set the stage's section, of the project's parameters once there are some."""
    file = Path("params.yaml")
    params = read_yaml(file if file.exists() else REPOSITORY / "params.yaml")
    params["export"] = EXPORTING | settings
    params["train"] |= {"device": "cpu", "threads": 1}
    write_params(params)


def write_params(params):
    YAML(typ="safe", pure=True).dump(params, Path("params.yaml"))


def network(seed):
    torch.manual_seed(seed)
    return build_segmenter(OWN, torch.full((3,), 100.0), torch.full((3,), 50.0))


def write_model(file, seed):
    save_checkpoint(file, OWN, network(seed).state_dict())


@pytest.fixture
def stand_in(monkeypatch):
    """A format that takes no time: a file of torch's own, of the model itself or of another."""

    def use(name, *, seed=None):
        def write(path, segmenter, own):
            save_checkpoint(path, own, (segmenter if seed is None else network(seed)).state_dict())

        plugin = ModuleType(f"seglib.formats.{name}")
        vars(plugin).update(SUFFIX=".pt", write=write)
        monkeypatch.setitem(variants.RECIPES, name, replace(variants.RECIPES[name], format=plugin, convert=None))

    return use


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def metrics():
    return json.loads((EXPORT_REPORT / "metrics.json").read_text())


def files(*folders):
    return {str(file): file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


@pytest.mark.usefixtures("project")
def test_the_default_is_onnx_that_predicts_the_same_and_again_the_same_bytes(capsys):
    stages.export.main()
    found = metrics()
    assert (found["n"], found["max_dice_drop"]) == (len(VAL), 0.005)
    assert found["onnx/dice"] == pytest.approx(found["torch/dice"], abs=1e-3)
    assert 0 < found["onnx/max_error"] < 1e-4
    assert found["onnx/bytes"] == Path("models/export/onnx.onnx").stat().st_size
    assert found["torch/bytes"] == BEST.stat().st_size
    assert json.loads((EXPORT_REPORT / "timing.json").read_text()) == {}
    assert "onnx" in capsys.readouterr().out
    _, own = open_model(EXPORT / "onnx.onnx", torch.device("cpu"), 1)
    assert own == OWN
    before = files(EXPORT, EXPORT_REPORT)
    assert len(before) == 6
    assert json.loads((EXPORT / "source.json").read_text()) == {str(BEST): sha256(BEST)}
    stages.export.main()
    assert files(EXPORT, EXPORT_REPORT) == before


@pytest.mark.usefixtures("project")
def test_every_variant_is_made_of_a_pruned_model_too(stand_in):
    stand_in("onnx")
    stand_in("program")
    write_model(PRUNED, seed=1)
    export(variants=["onnx", "program"], max_dice_drop=0.0)
    stages.export.main()
    assert sorted(file.name for file in EXPORT.iterdir()) == [
        "onnx.pt", "program.pt", "pruned_onnx.pt", "pruned_program.pt", "source.json",
    ]  # fmt: skip
    assert json.loads((EXPORT / "source.json").read_text()) == {str(file): sha256(file) for file in (BEST, PRUNED)}
    found = metrics()
    names = [key.removesuffix("/dice") for key in found if key.endswith("/dice")]
    assert names == ["torch", "pruned", "onnx", "program", "pruned_onnx", "pruned_program"]
    assert found["pruned_onnx/dice"] == found["pruned/dice"] != found["torch/dice"]
    assert found["pruned/dice_drop"] == pytest.approx(found["torch/dice"] - found["pruned/dice"], abs=2e-6)
    assert found["pruned_onnx/max_error"] == 0
    assert found["pruned_onnx/dice_drop"] == found["pruned/dice_drop"] != 0
    assert found["pruned_onnx/dice_drop_from_pruned"] == 0


@pytest.mark.usefixtures("project")
def test_a_model_that_is_another_fails_and_leaves_nothing(stand_in):
    stand_in("onnx")
    stand_in("onnx_int8", seed=0)
    write_model(BEST, seed=2)  # whose Dice is the higher one
    export(variants=["onnx", "onnx_int8"], max_dice_drop=0.0)
    with pytest.raises(SegError, match=r"onnx_int8: Dice drops by .*(?s:.*)all of them:.*(?s:.*)onnx .*"):
        stages.export.main()
    assert not EXPORT.exists()
    assert not EXPORT_REPORT.exists()


@pytest.mark.usefixtures("project")
def test_what_this_machine_cannot_make_is_left_out_with_a_note(capsys):
    export(variants=["tensorrt"])
    stages.export.main()
    said = capsys.readouterr().out
    assert "note: tensorrt is left out, for it needs a GPU, and this stage runs without one" in said
    assert "`dvc repro -f -s export`" in said
    assert metrics()["tensorrt_skipped"] == 1
    assert not [key for key in metrics() if key.startswith("tensorrt/")]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("variant", "rounds", "number"), [("onnx", 0, 0), ("onnx_fp16", 0, 0), ("onnx", 1, 1), ("onnx_int8", 1, 4)]
)
def test_images_are_read_only_where_they_are_needed(stand_in, monkeypatch, variant, rounds, number):
    asked = []

    def images(*arguments):
        asked.append(arguments[-1])
        return calibration_images(*arguments)

    monkeypatch.setattr(exporting, "calibration_images", images)
    monkeypatch.setattr(exporting, "time_models", lambda *_: {})
    stand_in(variant)
    export(variants=[variant], rounds=rounds)
    stages.export.main()
    assert asked == [number]


@pytest.mark.slow
@pytest.mark.usefixtures("project")
def test_all_that_is_compared_is_timed(stand_in):
    stand_in("onnx")
    export(rounds=1)
    stages.export.main()
    timing = json.loads((EXPORT_REPORT / "timing.json").read_text())
    assert set(timing) == {"torch", "onnx", "host"}
    rows = (EXPORT_REPORT / "plots/latency.tsv").read_text().splitlines()
    assert [row.split("\t")[:2] for row in rows[1:]] == [
        ["torch", "1"], ["torch", "8"], ["onnx", "1"], ["onnx", "8"],
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("project")
def test_every_variant_of_the_cpu_predicts_what_the_model_does():
    names = [name for name in VARIANTS if name != "tensorrt"]
    export(variants=names, max_dice_drop=0.05)
    stages.export.main()
    found = metrics()
    assert all(found[f"{name}/bytes"] > 0 for name in names)
    assert all(found[f"{name}/max_error"] < 1e-3 for name in names if variants.RECIPES[name].exact)
    assert found["onnx_int8/max_error"] > found["onnx/max_error"]
    before = files(EXPORT, EXPORT_REPORT)
    stages.export.main()
    assert files(EXPORT, EXPORT_REPORT) == before


def test_without_variants_nothing_is_made(project):
    export(variants=[])
    stages.export.main()
    assert [file.name for file in EXPORT.iterdir()] == [SOURCE]
    assert json.loads((EXPORT_REPORT / "metrics.json").read_text())["n"] == 0
    assert json.loads((EXPORT_REPORT / "timing.json").read_text()) == {}
    assert (EXPORT_REPORT / "plots/dice.tsv").read_text().count("\n") == 1
    assert read_exported() is None
