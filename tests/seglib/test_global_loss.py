"""A step in parts is the step of the whole batch, also for losses that sum over the batch."""

import pytest
import torch

from seglib.deep_supervision_loss import DeepSupervisionLoss
from seglib.global_loss import GlobalLoss
from tests.training import Recipe, cases, small_network, train_settings


def gradients(parts, count=4, network=None, images=None, masks=None):
    """Loss and gradients of one step on four images."""
    network = network or small_network().eval()
    run = Recipe(train_settings(), network=network).build()
    found = cases(4)
    images = torch.stack([case["image"] for case in found.values()]) if images is None else images
    masks = torch.stack([case["mask"] for case in found.values()]) if masks is None else masks
    loss = GlobalLoss(run.fabric, run.model, run.loss, parts).backward(images, masks, count)
    return loss, [weight.grad for weight in network.parameters()]


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_parts_give_the_gradient_of_the_whole_batch(parts):
    whole, expected = gradients(1)
    loss, found = gradients(parts)
    torch.testing.assert_close(loss, whole)
    torch.testing.assert_close(found, expected)


def test_dice_over_the_batch_is_no_mean_of_its_parts():
    found = cases(4)
    run = Recipe().build()
    logits = small_network().eval()(torch.stack([case["image"] for case in found.values()]))
    masks = torch.stack([case["mask"] for case in found.values()])
    parts = [run.loss(logits[i : i + 1], masks[i : i + 1]).item() for i in range(4)]
    assert abs(run.loss(logits, masks).item() - sum(parts) / 4) > 1e-4


def test_fillers_behind_the_batch_change_nothing():
    found = list(cases(4).values())
    images, masks = (torch.stack([case[name] for case in [*found[:3], found[0]]]) for name in ("image", "mask"))
    filled = gradients(1, 3, images=images, masks=masks)
    expected = gradients(1, 3, images=images[:3], masks=masks[:3])
    torch.testing.assert_close(filled, expected)


def test_dropout_hides_the_same_in_both_passes_of_a_step():
    """The gradient of the second pass belongs to the loss of the first only then."""
    seen = []
    network = small_network().train()
    network[2] = torch.nn.Dropout2d(0.5)
    network[2].register_forward_hook(lambda _module, _inputs, output: seen.append((output == 0).flatten(2).all(2)))
    torch.manual_seed(1)
    gradients(2, network=network)
    assert len(seen) == 4
    assert torch.equal(torch.cat(seen[:2]), torch.cat(seen[2:]))
    assert torch.cat(seen).any()


class TwoOutputs(torch.nn.Module):
    """Deep supervision in small."""

    def __init__(self):
        super().__init__()
        self.network = small_network().eval()

    def forward(self, images):
        logits = self.network(images)
        return [logits, logits * 0.5]


def test_parts_under_deep_supervision():
    run = Recipe(network=TwoOutputs()).build()
    found = cases(4)
    images = torch.stack([case["image"] for case in found.values()])
    masks = torch.stack([case["mask"] for case in found.values()])

    loss = DeepSupervisionLoss(run.loss, [1.0, 0.5])
    results = []
    for parts in (1, 2):
        run.network.zero_grad()
        value = GlobalLoss(run.fabric, run.model, loss, parts).backward(images, masks, 4)
        results.append((value, [weight.grad for weight in run.network.parameters()]))
    torch.testing.assert_close(results[0], results[1])


def test_statistics_of_batch_norm_move_once_for_each_part():
    network = small_network()
    network[2] = torch.nn.BatchNorm2d(4)
    gradients(2, network=network.train())
    assert network[2].num_batches_tracked == 2
