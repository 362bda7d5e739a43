from dataclasses import replace

import numpy as np
import pytest
import torch

from seglib.checkpoint import FORMAT, Card, Segmenter, build_segmenter, load_checkpoint, save_checkpoint
from seglib.errors import SegError
from seglib.head import Head
from seglib.inference import mask_of, predict
from seglib.sections.pixels import Pixels

PIXELS = Pixels(
    image_size=0.5, resize="stretch", spacing=[], window=[-100.0, 100.0], percentiles=[0.0, 100.0]
).model_dump()
CARD = Card(
    model="unet",
    options={"channels": [4, 8], "strides": [], "num_res_units": 0, "dropout": 0.0},
    dims=2,
    outputs=1,
    sigmoid=False,
    padding=True,
    dataset={
        "name": "own",
        "channels": 3,
        "classes": [{"name": "background", "colour": [0, 0, 0]}, {"name": "bright", "colour": [9, 9, 9]}],
        "modality": "photograph",
        "licence": "none",
        "citation": "",
        "overlapping": False,
    },
    pixels=PIXELS,
    versions={},
)
CPU = torch.device("cpu")
ANY = torch.tensor([-torch.inf, torch.inf])


class Bright(torch.nn.Module):
    """Class 1 where the normalised image is above the mean."""

    def forward(self, images):
        return torch.stack([-images[:, 0], images[:, 0]], 1) * 50


class BrightAndDark(torch.nn.Module):
    """Two classes that overlap where an image is neither very bright nor very dark."""

    def forward(self, images):
        return torch.stack([images[:, 0] + 1, 1 - images[:, 0]], 1) * 50


def segmenter(network=None, window=ANY, dims=2):
    each = (1, 3, *[1] * dims)
    return Segmenter(network or Bright(), torch.full(each, 100.0), torch.full(each, 50.0), window)


def card(**changed):
    dataset = {key: changed.pop(key) for key in list(changed) if key in CARD.dataset}
    own = {key: changed.pop(key) for key in list(changed) if key in vars(CARD)}
    return replace(CARD, dataset=CARD.dataset | dataset, pixels=PIXELS | changed, **own)


def square(dtype="uint8"):
    image = np.zeros((41, 63, 3), dtype)
    image[10:30, 20:50] = 200
    return image


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"image_size": 96, "resize": "pad"},
        {"image_size": [56, 80]},
        {"image_size": 64, "resize": "native"},
        {"image_size": 1.0, "spacing": [1.0, 2.0]},
    ],
    ids=["scale", "pad", "stretch", "native", "spacing"],
)
def test_prediction_has_the_images_own_size_and_sees_raw_values(dtype, asked):
    image = square(dtype)
    found = predict(segmenter(), card(**asked), image, (1.5, 1.0), CPU)
    assert (found.shape, found.dtype) == ((41, 63), np.uint8)
    assert (found == (image[:, :, 0] > 100)).mean() > 0.95


def test_overlapping_classes_are_told_as_bits():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 20:40], image[:, 40:] = 100, 200
    found = predict(segmenter(BrightAndDark()), card(overlapping=True, sigmoid=True, image_size=1.0), image, None, CPU)
    assert found.dtype == np.uint8
    assert [set(np.unique(found[:, part])) for part in (slice(0, 19), slice(21, 39), slice(41, 60))] == [{2}, {3}, {1}]


def test_spacing_that_is_not_known_is_told():
    with pytest.raises(SegError, match="no known spacing"):
        predict(segmenter(), card(spacing=[1.0, 1.0]), square(), None, CPU)


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


@pytest.mark.parametrize(
    "asked",
    [{"image_size": [8, 16, 16], "resize": "native"}, {"image_size": [12, 20, 24]}, {"spacing": [1.0, 1.0, 2.0]}],
    ids=["native", "stretch", "spacing"],
)
def test_a_volume_is_predicted_at_its_own_size(asked):
    volume = np.zeros((17, 30, 26, 3), "int16")
    volume[4:12, 10:25, 6:20] = 200
    own = card(dims=3, **{"image_size": 1.0, **asked})
    found = predict(segmenter(dims=3), own, volume, (1.0, 1.0, 2.0), CPU)
    assert (found.shape, found.dtype) == ((17, 30, 26), np.uint8)
    assert (found == (volume[..., 0] > 100)).mean() > 0.9


def test_mask_values_follow_from_probabilities_as_the_head_means_them():
    planes = np.array([[0.4, 0.1, 0.3, 0.6], [0.6, 0.2, 0.7, 0.9]], np.float32)[:, :, None]
    softmax = np.concatenate([np.full((1, 4, 1), 0.45, np.float32), planes])

    def values(probabilities, *, sigmoid, overlapping):
        return mask_of(probabilities, Head(3, sigmoid, overlapping)).ravel().tolist()

    assert values(softmax, sigmoid=False, overlapping=False) == [2, 0, 2, 2]
    assert values(planes, sigmoid=True, overlapping=False) == [2, 0, 2, 2]
    assert values(planes, sigmoid=True, overlapping=True) == [2, 0, 2, 3]


@pytest.mark.parametrize("modality", ["photograph", "ct"])
def test_checkpoint_comes_back_as_it_was_and_in_the_same_bytes(tmp_path, modality):
    torch.manual_seed(0)
    own = card(modality=modality)
    model = build_segmenter(own, torch.zeros(3), torch.ones(3)).eval()
    for name in ("one.pt", "another.pt"):
        save_checkpoint(tmp_path / name, own, model.state_dict())
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()
    read, read_card = load_checkpoint(tmp_path / "one.pt")
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
    torch.save({"format": FORMAT}, tmp_path / "whole.pt")
    for content in (b"hello", b"\x80\x02garbage", b"PK\x03\x04", (tmp_path / "whole.pt").read_bytes()[:-30], b""):
        (tmp_path / "broken.pt").write_bytes(content)
        with pytest.raises(SegError, match="not a readable model file"):
            load_checkpoint(tmp_path / "broken.pt")
    torch.save({"format": FORMAT - 1}, tmp_path / "old.pt")
    with pytest.raises(SegError, match="train it again"):
        load_checkpoint(tmp_path / "old.pt")
