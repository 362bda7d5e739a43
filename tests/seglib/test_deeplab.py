from functools import partial

import pytest
import torch
import torch.nn.functional as F

from seglib.config import parse
from seglib.deeplab import DeepLabV3, DeepLabV3Plus, Pyramid
from seglib.sections.deeplab import DeepLab
from seglib.sections.network import Shape
from tests.weight_files import settle

CHANNELS = {"resnet18": 64, "resnet50": 256, "mobilenet_v3_large": 24}
"""Of the encoder's features at stride 4."""
assert_close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-4)


def options(**values) -> DeepLab:
    given = {"weights": "", "sha256": "", "freeze": False, "encoder": "resnet18", "output_stride": 16}
    return parse(DeepLab, {**given, "rates": [], "dropout": 0.0, **values}, "model.deeplabv3")


def unit(x, state, conv, norm, dilation=1):
    """A published convolution, its norm and ReLU."""
    weight = state[f"{conv}.weight"]
    x = F.conv2d(x, weight, padding=dilation * (weight.shape[-1] // 2), dilation=dilation)
    values = [state[f"{norm}.{leaf}"] for leaf in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(x, *values).relu()


def pyramid(x, state, place, rates):
    """Torchvision's ASPP, whose last branch interpolates the image's mean."""
    branches = [
        unit(x, state, f"{place}convs.{i}.0", f"{place}convs.{i}.1", rate) for i, rate in enumerate([1, *rates])
    ]
    last = len(rates) + 1
    pooled = unit(F.adaptive_avg_pool2d(x, 1), state, f"{place}convs.{last}.1", f"{place}convs.{last}.2")
    branches.append(F.interpolate(pooled, size=x.shape[2:], mode="bilinear"))
    return unit(torch.cat(branches, 1), state, f"{place}project.0", f"{place}project.1")


@pytest.mark.parametrize("rates", [[], [2, 5]])
def test_deeplabv3_follows_torchvisions_head(rates):
    torch.manual_seed(0)
    network = settle(DeepLabV3(options(rates=rates), Shape(2, 3, 4)))
    images, state = torch.randn(2, 3, 48, 80), network.state_dict()
    with torch.no_grad():
        x = pyramid(network.encoder(images)[-1], state, "classifier.0.", rates or [6, 12, 18])
        x = unit(x, state, "classifier.1", "classifier.2")
        x = F.conv2d(x, state["logits.weight"], state["logits.bias"])
        assert_close(network(images), F.interpolate(x, size=(48, 80), mode="bilinear"))


@pytest.mark.parametrize("encoder", CHANNELS)
def test_deeplabv3plus_joins_the_features_of_stride_4(encoder):
    torch.manual_seed(0)
    network = settle(DeepLabV3Plus(options(encoder=encoder, rates=[2]), Shape(2, 1, 3)))
    images, state = torch.randn(1, 1, 32, 48), network.state_dict()
    with torch.no_grad():
        low, *_, last = network.encoder(images)
        assert low.shape == (1, CHANNELS[encoder], 8, 12)
        x = F.interpolate(pyramid(last, state, "pyramid.", [2]), size=(8, 12), mode="bilinear")
        x = torch.cat([x, unit(low, state, "low.0", "low.1")], 1)
        x = unit(unit(x, state, "decoder.0.0", "decoder.0.1"), state, "decoder.1.0", "decoder.1.1")
        x = F.conv2d(x, state["logits.weight"], state["logits.bias"])
        assert_close(network(images), F.interpolate(x, size=(32, 48), mode="bilinear"))


@pytest.mark.parametrize("network", [DeepLabV3, DeepLabV3Plus])
@pytest.mark.parametrize("encoder", ["resnet34", "mobilenet_v3_large"])
@pytest.mark.parametrize("output_stride", [8, 16])
def test_logits_have_the_size_of_the_images(network, encoder, output_stride):
    with torch.device("meta"):
        params = options(encoder=encoder, output_stride=output_stride)
        logits = network(params, Shape(2, 5, 7))(torch.zeros(2, 5, 50, 81))
    assert logits.shape == (2, 7, 50, 81)


@pytest.mark.parametrize("network", [DeepLabV3, DeepLabV3Plus])
@pytest.mark.parametrize("encoder", ["resnet18", "mobilenet_v3_large"])
def test_a_batch_of_one_image_trains(network, encoder):
    torch.manual_seed(0)
    built = network(options(encoder=encoder), Shape(2, 3, 2))
    built(torch.randn(1, 3, 32, 48)).square().mean().backward()
    gradients = {key: weight.grad for key, weight in built.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    assert all(gradient.any() for key, gradient in gradients.items() if ".convs.4." in key)


def test_dropout_drops_features_of_the_pyramid_while_training():
    torch.manual_seed(0)
    built, x = Pyramid(8, options(dropout=0.75)), torch.rand(2, 8, 40, 40)
    dropped = (built(x) == 0).float().mean().item()
    built.dropout.p = 0.0
    inactive = (built(x) == 0).float().mean().item()
    assert dropped == pytest.approx(0.75 + 0.25 * inactive, abs=0.01)


@pytest.mark.parametrize(("output_stride", "dilations"), [(16, [6, 12, 18]), (8, [12, 24, 36])])
def test_dilations_are_those_of_the_paper_unless_given(output_stride, dilations):
    assert options(output_stride=output_stride).dilations == dilations
    assert options(output_stride=output_stride, rates=[3]).dilations == [3]
    assert options(output_stride=output_stride).divisor == output_stride
