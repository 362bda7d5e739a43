import pytest
import torch
import torch.nn.functional as F

from seglib.encoders.resnet import LAYOUTS, ResNet
from tests.weight_files import settle

IMAGES = torch.randn(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
DILATIONS = {32: [(1, 1)] * 4, 16: [(1, 1), (1, 1), (1, 1), (1, 2)], 8: [(1, 1), (1, 1), (1, 2), (2, 4)]}
"""Output stride → the dilation of each stage's first block and of its others, as torchvision trained its DeepLabs."""
STRIDES = {32: [1, 2, 2, 2], 16: [1, 2, 2, 1], 8: [1, 2, 1, 1]}


def conv(x, state, name, stride=1, dilation=1):
    """A convolution and its norm, whose names end in the same number."""
    weight = state[name]
    norm = name.replace("conv", "bn").replace("downsample.0", "downsample.1").removesuffix("weight")
    padding = dilation * (weight.shape[-1] // 2)
    x = F.conv2d(x, weight, None, stride, padding, dilation)
    return F.batch_norm(x, *[state[norm + leaf] for leaf in ("running_mean", "running_var", "weight", "bias")])


def block(x, state, place, stride, dilation):
    bottleneck = f"{place}.conv3.weight" in state
    if bottleneck:
        y = conv(x, state, f"{place}.conv1.weight").relu()
        y = conv(y, state, f"{place}.conv2.weight", stride, dilation).relu()
        y = conv(y, state, f"{place}.conv3.weight")
    else:
        y = conv(x, state, f"{place}.conv1.weight", stride, dilation).relu()
        y = conv(y, state, f"{place}.conv2.weight", 1, dilation)
    if f"{place}.downsample.0.weight" in state:
        x = conv(x, state, f"{place}.downsample.0.weight", stride)
    return (x + y).relu()


@pytest.mark.parametrize("output_stride", [8, 16, 32])
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_features_equal_those_of_the_published_layers(name, output_stride):
    torch.manual_seed(0)
    network = settle(ResNet(name, 3, output_stride))
    state = network.state_dict()
    x = F.max_pool2d(conv(IMAGES, state, "conv1.weight", 2).relu(), 3, 2, 1)
    stages = zip(DILATIONS[output_stride], STRIDES[output_stride], LAYOUTS[name][1], strict=True)
    with torch.no_grad():
        found = network(IMAGES)
    for level, ((first, others), stride, depth) in enumerate(stages):
        for index in range(depth):
            x = block(x, state, f"layer{level + 1}.{index}", 1 if index else stride, others if index else first)
        torch.testing.assert_close(found[level], x)


@pytest.mark.parametrize(("name", "expansion"), [("resnet34", 1), ("resnet101", 4)])
@pytest.mark.parametrize(("output_stride", "strides"), [(8, (4, 8, 8, 8)), (16, (4, 8, 16, 16)), (32, (4, 8, 16, 32))])
def test_a_stage_beyond_the_output_stride_keeps_its_resolution(name, expansion, output_stride, strides):
    with torch.device("meta"):
        network = ResNet(name, 2, output_stride)
        shapes = [tuple(features.shape) for features in network(torch.zeros(1, 2, 64, 96))]
    channels = tuple(width * expansion for width in (64, 128, 256, 512))
    assert shapes == [(1, maps, 64 // stride, 96 // stride) for maps, stride in zip(channels, strides, strict=True)]
    assert network.channels == channels
