"""Members of an ensemble: the files that were meant, and models that can speak together."""

import hashlib

import pytest
import torch

from seglib.checkpoint import build_segmenter, save_checkpoint
from seglib.ensemble import load_models
from seglib.errors import SegError
from seglib.sections.predict import ModelFile
from tests.model_cards import CARD, card

OTHER_CLASSES = [{"name": "background", "colour": [0, 0, 0]}, {"name": "dark", "colour": [9, 9, 9]}]


@pytest.fixture
def best(tmp_path):
    return save(tmp_path / "best.pt")


def save(path, own=CARD, mean=0.0):
    torch.manual_seed(0)
    model = build_segmenter(own, torch.full((own.spec.channels,), mean), torch.ones(own.spec.channels))
    save_checkpoint(path, own, model.state_dict())
    return path


def member(path):
    return ModelFile(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_members_stand_behind_the_best_model_in_their_order(best, tmp_path):
    wider = card(options=CARD.options | {"channels": [8, 8]}, seen=["a"])
    members = [member(save(tmp_path / "b.pt", mean=5.0)), member(save(tmp_path / "a.pt", wider))]
    found = load_models(best, members)
    assert [model.file for model in found] == [str(best), str(tmp_path / "b.pt"), str(tmp_path / "a.pt")]
    assert [model.segmenter.mean.max().item() for model in found] == [0, 5, 0]
    assert [model.card for model in found] == [CARD, CARD, wider]


def test_the_best_model_is_no_member_of_its_own(best, tmp_path):
    copy = save(tmp_path / "copy.pt")
    with pytest.raises(SegError, match=r"copy\.pt is .*best\.pt itself; a model counts once"):
        load_models(best, [member(copy)])


def test_without_members_there_is_the_best_model_alone(best):
    assert [model.file for model in load_models(best, [])] == [str(best)]


def test_a_member_that_was_changed_is_refused_before_it_is_loaded(best, tmp_path):
    path = tmp_path / "other.pt"
    path.write_bytes(b"no model at all")
    asked = ModelFile(path=str(path), sha256="0" * 64)
    with pytest.raises(SegError, match=rf"other\.pt has sha256 {member(path).sha256}, expected {'0' * 64}; check"):
        load_models(best, [asked])
    with pytest.raises(SegError, match="not a readable model file"):
        load_models(best, [member(path)])


def test_a_member_that_cannot_be_read_is_told(best, tmp_path):
    for path in (tmp_path / "none.pt", tmp_path):
        with pytest.raises(SegError, match=r"predict\.ensemble: .* cannot be read \(.*\); check the path"):
            load_models(best, [ModelFile(path=str(path), sha256="0" * 64)])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"classes": OTHER_CLASSES}, r"classes: \['background', 'dark'\], not \['background', 'bright'\]"),
        ({"overlapping": True, "sigmoid": True}, "overlapping classes: True, not False\n  head: sigmoid, not softmax"),
        ({"channels": 1}, "channels: 1, not 3"),
        ({"modality": "ct"}, "modality: ct, not photograph"),
        ({"dims": 3}, "axes: 3, not 2"),
        ({"padding": False}, "padding: False, not True"),
        ({"image_size": 64, "resize": "pad"}, "image_size: 64, not 0.5\n  resize: pad, not stretch"),
        ({"percentiles": [1.0, 99.0]}, r"percentiles: \[1.0, 99.0\], not \[0.0, 100.0\]"),
    ],
)
def test_a_member_that_means_something_else_is_told_with_what_differs(best, tmp_path, changed, said):
    with pytest.raises(SegError, match=rf"b\.pt cannot predict together with .*best\.pt:\n  {said}\n") as told:
        load_models(best, [member(save(tmp_path / "b.pt", card(**changed)))])
    assert len(str(told.value).splitlines()) == 3 + said.count("\n")


def test_another_architecture_is_refused(best, tmp_path):
    options = {"features": [2, 2, 2, 2, 2, 2], "norm": "batch", "dropout": 0.0, "upsample": "deconv"}
    other = save(tmp_path / "b.pt", card(model="basic_unet", options=options))
    with pytest.raises(SegError, match="architecture: basic_unet, not unet"):
        load_models(best, [member(other)])
