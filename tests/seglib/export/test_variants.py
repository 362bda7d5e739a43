"""How variants are made: plain files once, converted ones from them, and only what is asked for is left."""

from types import ModuleType

import numpy as np
import pytest
import torch

from seglib.checkpoint import build_segmenter, save_checkpoint
from seglib.errors import SegError
from seglib.export import variants
from seglib.export.variants import RECIPES, Origin, Recipe, make_variants, read_origins, unavailable
from seglib.sections.export import VARIANTS
from seglib.sections.prune import NO_MODEL
from tests.model_cards import CARD

IMAGES = [np.zeros((3, 8, 8), np.uint8)]


def network():
    return build_segmenter(CARD, torch.full((3,), 100.0), torch.full((3,), 50.0))


@pytest.fixture
def written(monkeypatch):
    """Formats and conversions that only note what they do."""
    done = []

    def write(path, segmenter, own):
        done.append(path)
        path.write_text(f"{path.name} of {own.model}")

    def convert(source, target, images, own):
        assert images is IMAGES
        target.write_text(f"int8 of {source.read_text()}")

    onnx, openvino = ModuleType("seglib.formats.onnx"), ModuleType("seglib.formats.openvino")
    vars(onnx).update(SUFFIX=".onnx", write=write)
    vars(openvino).update(SUFFIX=".xml", write=write)
    recipes = {
        "onnx": Recipe(onnx, exact=True),
        "onnx_fp16": Recipe(onnx, convert),
        "onnx_int8": Recipe(onnx, convert),
        "openvino_int8": Recipe(openvino, convert),
    }
    monkeypatch.setattr(variants, "RECIPES", recipes)
    return done


@pytest.fixture
def origin(tmp_path):
    return Origin(tmp_path / "best.pt", network(), CARD)


def test_a_plain_file_that_is_asked_for_serves_the_others(written, origin, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    made = make_variants(["onnx_int8", "onnx"], origin, IMAGES, folder)
    assert made == {"onnx_int8": folder / "onnx_int8.onnx", "onnx": folder / "onnx.onnx"}
    assert written == [folder / "onnx.onnx"]
    assert made["onnx_int8"].read_text() == "int8 of onnx.onnx of unet"


def test_a_plain_file_that_is_only_needed_is_made_once_and_not_left(written, origin, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    make_variants(["onnx_fp16", "onnx_int8", "openvino_int8"], origin, IMAGES, folder)
    assert [path.name for path in written] == ["onnx.onnx", "openvino.xml"]
    assert sorted(file.name for file in folder.iterdir()) == ["onnx_fp16.onnx", "onnx_int8.onnx", "openvino_int8.xml"]
    assert not any(path.exists() for path in written)


def test_variants_of_two_models_lie_beside_each_other(written, origin, tmp_path):
    pruned = Origin(origin.file, origin.segmenter, CARD, "pruned_")
    for each in (origin, pruned):
        made = make_variants(["onnx", "onnx_int8"], each, IMAGES, tmp_path)
        assert set(made) == {"onnx", "onnx_int8"}
    assert (tmp_path / "pruned_onnx_int8.onnx").read_text() == "int8 of pruned_onnx.onnx of unet"
    assert (tmp_path / "onnx_int8.onnx").read_text() == "int8 of onnx.onnx of unet"


def test_there_is_a_pruned_model_only_where_its_file_holds_one(tmp_path):
    trained, pruned = tmp_path / "best.pt", tmp_path / "pruned.pt"
    save_checkpoint(trained, CARD, network().state_dict())
    pruned.write_bytes(NO_MODEL)
    assert {name: origin.prefix for name, origin in read_origins(trained, pruned).items()} == {"torch": ""}
    save_checkpoint(pruned, CARD, network().state_dict())
    found = read_origins(trained, pruned)
    assert {name: origin.prefix for name, origin in found.items()} == {"torch": "", "pruned": "pruned_"}
    assert found["pruned"].card == CARD
    pruned.write_bytes(b"cut off")
    with pytest.raises(SegError, match=r"pruned\.pt: not a readable model file"):
        read_origins(trained, pruned)


def test_every_name_has_a_recipe_and_only_an_engine_needs_a_gpu():
    assert tuple(RECIPES) == VARIANTS
    reasons = {name: unavailable(name, torch.device("cpu")) for name in VARIANTS}
    assert [name for name, reason in reasons.items() if reason] == ["tensorrt"]
    assert reasons["tensorrt"] == "needs a GPU, and this stage runs without one"


def test_formats_that_compute_as_the_model_does_are_held_to_it():
    exact = {name for name, recipe in RECIPES.items() if recipe.exact}
    assert exact == {"onnx", "openvino", "torchscript", "program", "tensorrt"}
