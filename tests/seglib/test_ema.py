import io

import pytest
import torch
from torch import nn

from seglib.ema import Average


class Scaled(nn.Module):
    """A weight, a frozen weight, and buffers that hold infinities and whole numbers."""

    def __init__(self, value=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value]))
        self.frozen = nn.Parameter(torch.tensor([3.0]), requires_grad=False)
        self.register_buffer("window", torch.tensor([-torch.inf, torch.inf]))
        self.register_buffer("count", torch.tensor(0))

    def move_to(self, value):
        with torch.no_grad():
            self.weight.fill_(value)
        self.count += 1


def averaged(decay, values):
    model = Scaled()
    average = Average(model, decay)
    for value in values:
        model.move_to(value)
        average.update(model)
    return average


def weight_of(average):
    return average.model.state_dict()["weight"].item()


def trained(steps, network, average):
    """Steps that depend on nothing but their number and the weights, as a resumed training has them."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in steps:
        images = torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        network(images).square().mean().backward()
        optimizer.step()
        average.update(network)


def convolutional():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 1, 1))


def test_before_the_first_update_it_is_the_model():
    assert weight_of(Average(Scaled(5.0), 0.9)) == 5.0


def test_the_first_update_forgets_the_untrained_weights():
    assert weight_of(averaged(0.9, [7.0])) == 7.0


def test_early_updates_keep_less_than_the_decay():
    first = 11.0
    second = 2 / 11 * first + 9 / 11 * 33.0
    third = 3 / 12 * second + 9 / 12 * 1.0
    assert weight_of(averaged(0.99, [11.0, 33.0])) == pytest.approx(second)
    assert weight_of(averaged(0.99, [11.0, 33.0, 1.0])) == pytest.approx(third)


def test_later_updates_keep_the_decay():
    # (1 + 1) / (10 + 1) is above 0.1 from the second update on
    assert weight_of(averaged(0.1, [10.0, 20.0, 30.0])) == pytest.approx(0.1 * (0.1 * 10 + 0.9 * 20) + 0.9 * 30)


def test_buffers_are_copied():
    kept = averaged(0.9, [1.0, 2.0, 3.0]).model.state_dict()
    assert kept["window"].tolist() == [-torch.inf, torch.inf]
    assert kept["count"].item() == 3
    assert kept["count"].dtype == torch.int64


def test_frozen_weights_stay_in_every_bit():
    assert averaged(0.99, range(20)).model.state_dict()["frozen"].item() == 3.0


def test_the_model_is_left_alone():
    model = Scaled(2.0)
    average = Average(model, 0.9)
    model.move_to(4.0)
    average.update(model)
    average.model.state_dict()["weight"].fill_(100.0)
    assert model.weight.item() == 4.0
    assert model.weight.requires_grad
    assert model.training


def test_the_average_has_the_models_keys_and_is_ready_to_validate():
    network = convolutional()
    average = Average(network, 0.9)
    assert list(average.model.state_dict()) == list(network.state_dict())
    assert not any(module.training for module in average.model.modules())
    assert not any(weight.requires_grad for weight in average.model.parameters())


def test_a_resumed_average_goes_on_in_the_same_bits():
    network = convolutional()
    undisturbed = Average(network, 0.9)
    trained(range(12), network, undisturbed)

    network = convolutional()
    average, saved = Average(network, 0.9), io.BytesIO()
    trained(range(5), network, average)
    torch.save({"network": network.state_dict(), "average": average.state_dict()}, saved)

    network = convolutional()
    resumed = Average(network, 0.9)
    state = torch.load(io.BytesIO(saved.getvalue()), weights_only=True)
    network.load_state_dict(state["network"])
    resumed.load_state_dict(state["average"])
    trained(range(5, 12), network, resumed)

    for key, value in undisturbed.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key
    assert not torch.equal(average.model.state_dict()["0.weight"], resumed.model.state_dict()["0.weight"])
