import pytest
import torch
import torch.nn.functional as F

from seglib.encoders.mobilenet import MobileNetV3Large
from tests.weight_files import settle

ROWS = """
16 3 16 16 - RE 1
16 3 64 24 - RE 2
24 3 72 24 - RE 1
24 5 72 40 SE RE 2
40 5 120 40 SE RE 1
40 5 120 40 SE RE 1
40 3 240 80 - HS 2
80 3 200 80 - HS 1
80 3 184 80 - HS 1
80 3 184 80 - HS 1
80 3 480 112 SE HS 1
112 3 672 112 SE HS 1
112 5 672 160 SE HS 2
160 5 960 160 SE HS 1
160 5 960 160 SE HS 1
"""
"""Table 1 of the paper as torchvision has it: inputs, kernel, expanded, outputs, squeeze, activation, stride."""
DILATED = {32: {}, 16: dict.fromkeys((13, 14, 15), 2), 8: {**dict.fromkeys(range(7, 13), 2), 13: 4, 14: 4, 15: 4}}
"""Output stride → the blocks that dilate, and how far; torchvision's DeepLabV3 has output stride 16."""
IMAGES = torch.randn(1, 3, 40, 56, generator=torch.Generator().manual_seed(0))
ACTIVATIONS = {"RE": torch.relu, "HS": lambda x: x * (x + 3).clamp(0, 6) / 6}


def reference(state, images, output_stride):
    """What each layer of `features` gives, from the published table alone."""

    def conv(x, place, stride=1, dilation=1, *, depthwise=False):
        weight = state[f"features.{place}.0.weight"]
        groups = x.shape[1] if depthwise else 1
        x = F.conv2d(x, weight, None, stride, dilation * (weight.shape[-1] // 2), dilation, groups)
        norm = [state[f"features.{place}.1.{leaf}"] for leaf in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *norm, eps=0.001)

    def fully(x, place):
        return F.conv2d(x, state[f"features.{place}.weight"], state[f"features.{place}.bias"])

    outputs = [ACTIVATIONS["HS"](conv(images, "0", 2))]
    for index, row in enumerate(ROWS.split("\n")[1:-1], 1):
        inputs, _, expanded, maps, squeeze, activation, stride = row.split()
        act, x, part = ACTIVATIONS[activation], outputs[-1], 0
        if expanded != inputs:
            x, part = act(conv(x, f"{index}.block.{part}")), part + 1
        dilation = DILATED[output_stride].get(index, 1)
        x = conv(x, f"{index}.block.{part}", 1 if dilation > 1 else int(stride), dilation, depthwise=True)
        x, part = act(x), part + 1
        if squeeze == "SE":
            scale = fully(F.adaptive_avg_pool2d(x, 1), f"{index}.block.{part}.fc1").relu()
            scale = fully(scale, f"{index}.block.{part}.fc2")
            x, part = x * ((scale + 3).clamp(0, 6) / 6), part + 1
        x = conv(x, f"{index}.block.{part}")
        outputs.append(x + outputs[-1] if inputs == maps and stride == "1" else x)
    return [*outputs, ACTIVATIONS["HS"](conv(outputs[-1], "16"))]


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_features_equal_those_of_the_published_table(output_stride):
    torch.manual_seed(0)
    network = settle(MobileNetV3Large(3, output_stride))
    expected = reference(network.state_dict(), IMAGES, output_stride)
    with torch.no_grad():
        found = network(IMAGES)
    for features, layer in zip(found, (3, 6, 12, 16), strict=True):
        torch.testing.assert_close(features, expected[layer], rtol=1e-4, atol=1e-5)
    assert network.channels == tuple(features.shape[1] for features in found)


@pytest.mark.parametrize(("output_stride", "strides"), [(8, (4, 8, 8, 8)), (16, (4, 8, 16, 16)), (32, (4, 8, 16, 32))])
def test_a_block_beyond_the_output_stride_keeps_its_resolution(output_stride, strides):
    with torch.device("meta"):
        shapes = [features.shape[2:] for features in MobileNetV3Large(5, output_stride)(torch.zeros(1, 5, 64, 96))]
    assert shapes == [(64 // stride, 96 // stride) for stride in strides]
