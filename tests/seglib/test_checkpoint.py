"""A model file: what it holds comes back, in the same bytes, and what is none is told."""

import numpy as np
import pytest
import torch

from seglib.checkpoint import FORMAT, Card, Segmenter, build_segmenter, load_checkpoint, save_checkpoint
from seglib.errors import SegError
from seglib.leakage import digests
from tests.model_cards import CARD, card


def test_values_outside_the_window_are_clipped():
    wide = torch.tensor([[-3000.0, -100.0, 0.0, 100.0, 3000.0]])[None, None]
    model = Segmenter(torch.nn.Identity(), torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1), torch.tensor([-100.0, 100]))
    assert model(wide).flatten().tolist() == [-100, -100, 0, 100, 100]


@pytest.mark.parametrize(("modality", "window"), [("ct", [-100, 100]), ("mri", [-np.inf, np.inf])])
def test_only_ct_has_a_window(modality, window):
    model = build_segmenter(card(modality=modality), torch.zeros(3), torch.ones(3))
    assert model.window.tolist() == window


@pytest.mark.parametrize(("sigmoid", "planes"), [(False, 2), (True, 1)])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_sigmoid_head_has_no_plane_for_the_background(dims, sigmoid, planes):
    model = build_segmenter(card(dims=dims, sigmoid=sigmoid), torch.zeros(3), torch.ones(3)).eval()
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, *[16, 12, 9][:dims])).shape == (1, planes, *[16, 12, 9][:dims])


def test_without_padding_the_networks_output_stays_as_it_is():
    model = build_segmenter(card(padding=False), torch.zeros(3), torch.ones(3)).eval()
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 16, 15)).shape == (1, 2, 16, 16)


def test_a_network_for_deep_supervision_has_several_outputs_only_while_training():
    options = {"channels": [4, 8, 8, 8], "strides": [], "kernels": [], "residual": False}
    own = card(model="dynunet", options={**options, "norm": "instance", "dropout": 0.0}, outputs=2)
    model = build_segmenter(own, torch.zeros(3), torch.ones(3))
    assert [output.shape for output in model(torch.zeros(2, 3, 16, 16))] == [(2, 2, 16, 16)] * 2
    assert model.eval()(torch.zeros(2, 3, 16, 16)).shape == (2, 2, 16, 16)


@pytest.mark.parametrize("modality", ["photograph", "ct"])
def test_checkpoint_comes_back_as_it_was_and_in_the_same_bytes(tmp_path, modality):
    torch.manual_seed(0)
    own, same = (card(modality=modality, seen=digests(ids, ["g"])) for ids in (["a", "b"], ["b", "a"]))
    model = build_segmenter(own, torch.zeros(3), torch.ones(3)).eval()
    save_checkpoint(tmp_path / "one.pt", own, model.state_dict())
    save_checkpoint(tmp_path / "another.pt", same, model.state_dict())
    read, read_card = load_checkpoint(tmp_path / "one.pt")
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()
    assert read_card == own
    assert torch.equal(read.window, model.window)
    image = torch.randint(-300, 300, (1, 3, 20, 21))
    with torch.inference_mode():
        assert torch.equal(read(image), model(image))


def test_a_card_tells_of_the_data_set():
    assert CARD.classes == ["background", "bright"]
    assert [tuple(colour) for colour in CARD.colours] == [(0, 0, 0), (9, 9, 9)]
    assert CARD.spec.channels == 3
    assert CARD.spec.largest == 1


def test_what_is_no_model_file_is_refused_in_words(tmp_path):
    with pytest.raises(SegError, match="is missing"):
        load_checkpoint(tmp_path / "none.pt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SegError, match=r"folder: not a readable model file \(.*directory"):
        load_checkpoint(tmp_path / "folder")
    torch.save({"format": FORMAT}, tmp_path / "whole.pt")
    for content in (b"hello", b"\x80\x02garbage", b"PK\x03\x04", (tmp_path / "whole.pt").read_bytes()[:-30], b""):
        (tmp_path / "broken.pt").write_bytes(content)
        with pytest.raises(SegError, match="not a readable model file"):
            load_checkpoint(tmp_path / "broken.pt")
    torch.save({"format": FORMAT - 1}, tmp_path / "old.pt")
    with pytest.raises(SegError, match="train or export it again"):
        load_checkpoint(tmp_path / "old.pt")
    model = build_segmenter(CARD, torch.zeros(3), torch.ones(3))
    for content, said in [
        ({"format": FORMAT, "state": {}}, "its card lacks something"),
        ({"format": FORMAT, "card": vars(CARD)}, "its weights do not fit its card"),
        ({"format": FORMAT, "card": vars(card(channels=1)), "state": model.state_dict()}, "do not fit its card"),
    ]:
        torch.save(content, tmp_path / "incomplete.pt")
        with pytest.raises(SegError, match=said):
            load_checkpoint(tmp_path / "incomplete.pt")


@pytest.mark.parametrize(
    ("error", "said"), [(PermissionError(13, "no right"), "no right"), (ValueError(), "ValueError")]
)
def test_what_keeps_a_file_from_being_read_is_told(tmp_path, monkeypatch, error, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(SegError, match=rf"best.pt: not a readable model file \(.*{said}"):
        load_checkpoint(tmp_path / "best.pt")


def test_a_card_as_text_says_all_of_it():
    assert Card.from_json(CARD.to_json(), "model.onnx") == CARD
    for text, said in [("{", "not readable"), ("[]", "format"), (f'{{"format":{FORMAT - 1}}}', "export it again")]:
        with pytest.raises(SegError, match=said):
            Card.from_json(text, "model.onnx")
