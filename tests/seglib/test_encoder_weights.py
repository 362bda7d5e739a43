import os

import pytest
import torch
from torch import nn

from seglib import models, plugins
from seglib.config import parse, read_params
from seglib.encoder_weights import load_encoder
from seglib.errors import SegError
from seglib.sections.network import Shape
from tests.weight_files import NAMES, parameters, published_parameters, save, shapes, weights

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")
NETWORKS = {
    "vgg16": ("vgg16_unet", {"batch_norm": False}),
    "vgg16_bn": ("vgg16_unet", {"batch_norm": True}),
    **{name: ("deeplabv3", {"encoder": name}) for name in (*RESNETS, "mobilenet_v3_large")},
    "deeplabv3_resnet50": ("deeplabv3", {"encoder": "resnet50"}),
    "deeplabv3_mobilenet_v3_large": ("deeplabv3", {"encoder": "mobilenet_v3_large"}),
    "efficientnet_b0_lukemelas": ("flexible_unet", {"backbone": "b0"}),
    "efficientnet_b0_torchvision": ("flexible_unet", {"backbone": "b0"}),
}
"""A published file → a network that it is for."""
ENCODER_PARAMETERS = {
    "vgg16": 14_714_688,
    "vgg16_bn": 14_723_136,
    "resnet18": 11_176_512,
    "resnet34": 21_284_672,
    "resnet50": 23_508_032,
    "resnet101": 42_500_160,
    "mobilenet_v3_large": 2_971_952,
    "efficientnet_b0_lukemelas": 3_595_388,
}
"""The published figures without the classifier, of EfficientNet also without the last convolution and its norm."""
CLASSIFIERS = {
    "vgg16": ["classifier."],
    "vgg16_bn": ["classifier."],
    **{name: ["fc."] for name in RESNETS},
    "mobilenet_v3_large": ["classifier."],
    "deeplabv3_resnet50": ["aux_classifier.", "classifier.4."],
    "deeplabv3_mobilenet_v3_large": ["aux_classifier.", "classifier.4."],
    "efficientnet_b0_lukemelas": ["_conv_head.", "_bn1.", "_fc."],
    "efficientnet_b0_torchvision": ["features.8.", "classifier."],
}
"""What the encoders, and the head of DeepLabV3, have no place for."""
FIRST = {
    "vgg16": ("features.0.weight", "encoder.features.0.weight"),
    "resnet18": ("conv1.weight", "encoder.conv1.weight"),
    "mobilenet_v3_large": ("features.0.0.weight", "encoder.features.0.0.weight"),
    "deeplabv3_mobilenet_v3_large": ("backbone.0.0.weight", "encoder.features.0.0.weight"),
    "efficientnet_b0_lukemelas": ("_conv_stem.weight", "encoder._conv_stem.weight"),
    "efficientnet_b0_torchvision": ("features.0.0.weight", "encoder._conv_stem.weight"),
}
"""The first layer in the file and in the network."""


def build(file: str, channels: int = 3, **changes: object) -> nn.Module:
    """The network for a published file; all its weights are 0."""
    name, options = NETWORKS[file]
    plugin = plugins.load(models, name)
    given = plugins.options(plugin, read_params()).model_dump()
    params = parse(plugin.Params, {**given, **options, **changes}, name)
    with torch.device("meta"):
        network = plugin.build(params, Shape(2, channels, 2))
    network = network.to_empty(device="cpu")
    for value in network.state_dict().values():
        value.zero_()
    return network


def theirs(file: str, key: str) -> str:
    """The published name of a network's key, told in its own way for each publisher."""
    key = key.removeprefix("encoder.")
    if file.startswith("deeplabv3") and not key.startswith("classifier."):
        return "backbone." + key.removeprefix("features.")
    if file == "efficientnet_b0_lukemelas" and key.startswith("_blocks."):
        return "_blocks." + key.split(".", 2)[2]
    return key


def refusal(network, path) -> str:
    """Why a file is refused; nothing of it was loaded."""
    with pytest.raises(SegError) as caught:
        load_encoder(network, path)
    assert str(path) in str(caught.value)
    assert not any(value.any() for value in network.state_dict().values())
    return str(caught.value)


def test_every_published_list_is_tested():
    assert set(NAMES) == set(NETWORKS) == set(CLASSIFIERS)


@pytest.mark.parametrize("file", NAMES)
def test_the_lists_have_the_published_numbers_of_parameters(file):
    assert parameters(file, "") == published_parameters(file)


@pytest.mark.parametrize("file", ENCODER_PARAMETERS)
def test_an_encoder_has_the_published_number_of_parameters(file):
    own = build(file).named_parameters()
    built = sum(weight.numel() for key, weight in own if key.startswith("encoder."))
    assert built == parameters(file, "") - parameters(file, *CLASSIFIERS[file]) == ENCODER_PARAMETERS[file]


@pytest.mark.parametrize("file", NAMES)
def test_every_key_is_loaded_and_the_classifier_is_left_out(tmp_path, file):
    network, published = build(file), weights(file)
    report = load_encoder(network, save(published, tmp_path / "weights.pth"))
    state = network.state_dict()
    wanted = [key for key in state if key.startswith("encoder.")]
    wanted += [key for key in state if key.startswith("classifier.") and file.startswith("deeplabv3_")]
    assert sorted(report.matched) == sorted(wanted)
    assert len(report.matched) + len(report.left_out) == len(published)
    assert all(key.startswith(tuple(CLASSIFIERS[file])) for key in report.left_out)
    assert not report.adapted
    assert not any(value.any() for key, value in state.items() if key not in wanted)
    if file != "efficientnet_b0_torchvision":
        assert all(torch.equal(state[key], published[theirs(file, key)]) for key in wanted)


def test_torchvisions_efficientnet_goes_where_lukemelas_goes(tmp_path):
    """Both list the layers of each block in the order of computation, and so do the listings."""
    ours, lists = {}, {}
    for file in ("efficientnet_b0_lukemelas", "efficientnet_b0_torchvision"):
        network = build(file)
        published = {key: torch.full(shape, float(i)) for i, (key, shape) in enumerate(shapes(file).items())}
        load_encoder(network, save(published, tmp_path / "weights.pth"))
        ours[file] = {key: value.flatten()[0].item() for key, value in network.state_dict().items() if value.any()}
        lists[file] = list(shapes(file).values())
    assert lists["efficientnet_b0_lukemelas"] == lists["efficientnet_b0_torchvision"]
    assert ours["efficientnet_b0_lukemelas"] == ours["efficientnet_b0_torchvision"]


def test_a_whole_deeplab_file_gives_deeplabv3plus_its_encoder(tmp_path):
    plugin = plugins.load(models, "deeplabv3plus")
    given = plugins.options(plugin, read_params()).model_dump()
    params = parse(plugin.Params, {**given, "encoder": "mobilenet_v3_large"}, "deeplabv3plus")
    network = plugin.build(params, Shape(2, 3, 2))
    published = weights("deeplabv3_mobilenet_v3_large")
    report = load_encoder(network, save(published, tmp_path / "weights.pth"))
    assert {key.partition(".")[0] for key in report.left_out} == {"classifier", "aux_classifier"}
    loaded = network.state_dict()["encoder.features.16.0.weight"]
    assert torch.equal(loaded, published["backbone.16.0.weight"])


def test_the_plain_file_of_an_encoder_leaves_the_head_as_it_is(tmp_path):
    network = build("resnet18")
    report = load_encoder(network, save(weights("resnet18"), tmp_path / "weights.pth"))
    assert not any(key.startswith("classifier.") for key in report.matched)
    assert report.left_out == ("fc.weight", "fc.bias")


@pytest.mark.parametrize(("file", "channels"), [("resnet18", 1), ("resnet18", 2), *((file, 5) for file in FIRST)])
def test_the_first_layer_is_adapted_to_the_channels(tmp_path, file, channels):
    network, published = build(file, channels), weights(file)
    theirs, ours = FIRST[file]
    report = load_encoder(network, save(published, tmp_path / "weights.pth"))
    red, green, blue = published[theirs].unbind(1)
    expected = {
        1: [red + green + blue],
        2: [red * 1.5, green * 1.5],
        5: [red * 0.6, green * 0.6, blue * 0.6, red * 0.6, green * 0.6],
    }[channels]
    torch.testing.assert_close(network.state_dict()[ours], torch.stack(expected, dim=1))
    assert report.adapted == (ours,)
    assert f"{ours} adapted from 3 channels to {channels}" in report.describe()


def test_the_report_is_one_line(tmp_path):
    network = build("resnet18", channels=1)
    report = load_encoder(network, save(weights("resnet18"), tmp_path / "weights.pth"))
    expected = "120 tensors loaded; encoder.conv1.weight adapted from 3 channels to 1; left out: fc.weight, fc.bias"
    assert report.describe() == expected


@pytest.mark.parametrize("wrap", [lambda weights: {"state_dict": weights, "epoch": 3}, dict])
@pytest.mark.parametrize("zipped", [True, False])
def test_wrapped_and_old_files_are_read(tmp_path, wrap, zipped):
    published = {key: nn.Parameter(value) for key, value in weights("resnet18").items() if value.is_floating_point()}
    path = tmp_path / "weights.pth"
    torch.save(wrap(published), path, _use_new_zipfile_serialization=zipped)
    network = build("resnet18")
    report = load_encoder(network, path)
    assert len(report.matched) == 100
    assert torch.equal(network.state_dict()["encoder.layer4.1.bn2.weight"], published["layer4.1.bn2.weight"])


def test_weights_of_half_precision_become_the_networks(tmp_path):
    published = {key: value.half() for key, value in weights("mobilenet_v3_large").items()}
    network = build("mobilenet_v3_large")
    load_encoder(network, save(published, tmp_path / "weights.pth"))
    loaded = network.state_dict()["encoder.features.0.0.weight"]
    assert loaded.dtype == torch.float32
    assert torch.equal(loaded, published["features.0.0.weight"].float())


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("vgg16", "features.28.bias"),
        ("resnet50", "layer3.5.bn2.running_var"),
        ("mobilenet_v3_large", "features.15.block.2.fc1.bias"),
        ("deeplabv3_resnet50", "classifier.0.convs.4.1.weight"),
        ("efficientnet_b0_lukemelas", "_blocks.15._se_expand.bias"),
        ("efficientnet_b0_torchvision", "features.7.0.block.2.fc2.bias"),
    ],
)
def test_a_missing_key_and_another_shape_are_told(tmp_path, file, key):
    network, published = build(file), weights(file)
    whole = published.pop(key)
    assert f"it lacks {key}." in refusal(network, save(published, tmp_path / "less.pth"))
    other = refusal(network, save({**published, key: whole[None]}, tmp_path / "other.pth"))
    shape = "×".join(map(str, whole.shape))
    assert f"of another shape are {key} (1×{shape} instead of {shape})." in other
    assert "model.<name>" in other


@pytest.mark.parametrize(
    ("file", "network", "told"),
    [
        ("resnet34", "resnet18", "the encoder lacks layer1.2.conv1.weight"),
        ("resnet101", "resnet50", "the encoder lacks layer3.6.conv1.weight"),
        ("resnet18", "resnet34", "it lacks layer1.2.conv1.weight"),
        ("vgg16", "vgg16_bn", "it lacks features.1.weight"),
        ("vgg16_bn", "vgg16", "it lacks features.2.weight"),
        ("resnet18", "resnet50", "it lacks layer1.0.conv3.weight"),
        ("efficientnet_b0_lukemelas", "resnet50", "it lacks conv1.weight"),
        ("mobilenet_v3_large", "efficientnet_b0_torchvision", "it lacks features"),
        ("deeplabv3_resnet50", "mobilenet_v3_large", "it lacks"),
    ],
)
def test_the_file_of_another_encoder_is_refused(tmp_path, file, network, told):
    path = save(weights(file), tmp_path / "weights.pth")
    assert told in refusal(build(network), path)


def test_a_long_list_of_keys_is_cut(tmp_path):
    told = refusal(build("resnet18"), save({"other.weight": torch.zeros(1)}, tmp_path / "weights.pth"))
    assert "it lacks conv1.weight, bn1.weight" in told
    assert "and 95 more; the encoder lacks other.weight." in told


@pytest.mark.parametrize("channels", [1, 3])
def test_a_first_layer_for_neither_colours_nor_the_images_channels_is_refused(tmp_path, channels):
    published = weights("resnet18")
    published["conv1.weight"] = torch.zeros(64, 4, 7, 7)
    told = refusal(build("resnet18", channels), save(published, tmp_path / "weights.pth"))
    assert f"conv1.weight (64×4×7×7 instead of 64×{channels}×7×7)" in told


class Malicious:
    """Runs a command where it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path):
    trace = tmp_path / "trace"
    path = save({"conv1.weight": torch.zeros(1), "x": Malicious(trace)}, tmp_path / "weights.pth")
    told = refusal(build("resnet18"), path)
    assert "could run code" in told
    assert "weights_only" not in told
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"no weights", b"<html>", b"PK\x03\x04 no zip", b"\x80\x02}q\x00"])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    assert "cannot be read as weights" in refusal(build("resnet18"), path)


def test_a_file_that_was_cut_short_is_refused(tmp_path):
    path = save(weights("resnet18"), tmp_path / "weights.pth")
    path.write_bytes(path.read_bytes()[:-1000])
    assert "cannot be read as weights" in refusal(build("resnet18"), path)


@pytest.mark.parametrize("name", ["gone.pth", "."])
def test_a_path_without_file_is_told(tmp_path, name):
    assert "cannot be read as weights" in refusal(build("resnet18"), tmp_path / name)


@pytest.mark.parametrize("content", [[torch.zeros(1)], torch.zeros(1), {}, {"epoch": 1}, {"state_dict": {"a": "b"}}])
def test_what_is_no_state_dict_is_refused(tmp_path, content):
    path = save(content, tmp_path / "weights.pth")
    assert "not tensors by key" in refusal(build("resnet18"), path)
