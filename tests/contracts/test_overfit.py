"""Every network can learn four images by heart; one that cannot is wired wrongly."""

import pytest
import torch
from torch import nn

from seglib import losses, models, plugins
from seglib.config import read_params
from seglib.head import Head
from seglib.overlap import case_dice
from seglib.padding import Padded
from seglib.sections.network import Network, Shape
from tests.contracts.four_images import four_images

STEPS = 200
ENOUGH = 0.95
CHANGED = {("deeplabv3", 2): {"output_stride": 8}, ("dynunet", 3): {"channels": [16, 32, 64, 128]}}
"""Of 64 pixels DeepLabV3's usual stride of 16 leaves 4 features; a narrow DynUNet is quicker in volumes."""
HEAD = Head(classes=3, sigmoid=False, overlapping=False)


def mean_dice(network, images, masks):
    with torch.no_grad():
        return case_dice(network.eval()(images), masks, HEAD).nanmean().item()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dims"), [*[(name, 2) for name in plugins.names(models)], ("unet", 3), ("dynunet", 3)]
)
def test_each_network_overfits_four_images(name, dims):
    torch.manual_seed(0)
    params, plugin = read_params(), plugins.load(models, name)
    options = plugins.options(plugin, params).model_copy(update=CHANGED.get((name, dims), {}))
    assert isinstance(options, Network)
    network = Padded(plugin.build(options, Shape(dims, 1, HEAD.planes)), options.divisor)
    for norm in network.modules():
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            norm.momentum = 0.1  # EfficientNet's and MobileNet's 0.01 needs hundreds of steps
    criterion = plugins.load(losses, "dice_ce")
    loss = criterion.build(plugins.options(criterion, params), HEAD, torch.ones(HEAD.planes))
    images, masks = four_images(HEAD.classes, dims)
    images = (images - images.float().mean()) / images.float().std()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        loss(network.train()(images), masks).backward()
        optimizer.step()
        if step % 10 == 0 and mean_dice(network, images, masks) >= ENOUGH:
            return
    assert mean_dice(network, images, masks) >= ENOUGH
