import pytest
import torch
import torch.nn.functional as F

from seglib.io.sample import IGNORE
from seglib.masked_losses import DiceCELoss
from seglib.targets import target_planes


def random_logits(planes, shape=(2, 6, 7), seed=0):
    return torch.randn((shape[0], planes, *shape[1:]), generator=torch.Generator().manual_seed(seed))


def random_mask(values, shape=(2, 6, 7)):
    mask = torch.randint(0, values, shape, generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    mask[:, :2] = IGNORE
    return mask


def test_exclusive_cross_entropy_is_that_of_torch():
    logits, mask = random_logits(3), random_mask(3)
    loss = DiceCELoss(0, 1, include_background=False, overlapping=False)(logits, mask)
    torch.testing.assert_close(loss, F.cross_entropy(logits, mask.long(), ignore_index=IGNORE))


def test_overlapping_cross_entropy_is_that_of_torch_over_the_pixels_that_count():
    logits, mask = random_logits(3), random_mask(8)
    planes, _ = target_planes(mask, 3, overlapping=True)
    expected = F.binary_cross_entropy_with_logits(logits[:, :, 2:], planes[:, :, 2:].float())
    loss = DiceCELoss(0, 1, include_background=False, overlapping=True)(logits, mask)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(
    ("overlapping", "include_background", "planes", "values", "first"),
    [(False, False, 3, 3, 1), (False, True, 3, 3, 0), (True, False, 3, 8, 0), (True, False, 1, 2, 0)],
)
def test_dice_by_hand(overlapping, include_background, planes, values, first):
    logits, mask = random_logits(planes), random_mask(values)
    truth, _ = target_planes(mask, planes, overlapping=overlapping)
    odds = logits.sigmoid() if overlapping else logits.softmax(1)
    odds, truth = odds[:, first:, 2:].double(), truth[:, first:, 2:].double()
    over = (0, 2, 3)
    smooth = 1e-5
    dice = (2 * (odds * truth).sum(over) + smooth) / (odds.sum(over) + truth.sum(over) + smooth)
    loss = DiceCELoss(1, 0, include_background=include_background, overlapping=overlapping)(logits, mask)
    torch.testing.assert_close(loss.double(), (1 - dice).mean(), rtol=1e-5, atol=1e-6)


def test_the_weights_weigh_the_terms():
    logits, mask = random_logits(3), random_mask(3)
    dice, ce, both = (
        DiceCELoss(*weights, include_background=False, overlapping=False)(logits, mask)
        for weights in ((1, 0), (0, 1), (2, 0.5))
    )
    torch.testing.assert_close(both, 2 * dice + 0.5 * ce)
