"""Every loss makes a small network learn four images by heart."""

import pytest
import torch
from monai.networks.nets.unet import UNet

from seglib.overlap import case_dice
from tests.contracts.four_images import four_images
from tests.contracts.loss_cases import CLASSES, build, each_loss

STEPS = 400
CHECK = 20
"""Steps between two looks at the Dice."""


@pytest.mark.slow
@each_loss("softmax", "overlapping")
def test_overfits_four_images(name, head):
    images, masks = four_images(CLASSES, overlapping=head.overlapping)
    images = (images - images.float().mean()) / images.float().std()
    torch.manual_seed(0)
    network = UNet(2, 1, head.planes, channels=(16, 32, 64), strides=(2, 2), num_res_units=1, norm="batch")
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    loss, dice = build(name, head), 0.0
    for step in range(1, STEPS + 1):
        logits = network(images)
        optimizer.zero_grad()
        loss(logits, masks).backward()
        optimizer.step()
        if step % CHECK == 0 and (dice := case_dice(logits.detach(), masks, head).nanmean().item()) >= 0.95:
            break
    assert dice >= 0.95
