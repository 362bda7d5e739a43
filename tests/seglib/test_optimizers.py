import pytest
import torch
from monai.networks.layers.factories import Norm
from torch import nn

from seglib.errors import SegError
from seglib.optimizers import build_optimizer, set_rate
from seglib.sections.optimizer import Optimizer

DEFAULTS = {
    "name": "adamw",
    "weight_decay": 0.01,
    "decay_all": True,
    "momentum": 0.9,
    "encoder_lr": 1.0,
    "clip_norm": 0.0,
    "ema": 0.0,
}


def settings(**changes):
    return Optimizer(**DEFAULTS | changes)


class Segmenter(nn.Module):
    """An encoder with batch norm, a decoder with instance norm, and a part whose name only resembles."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
        self.decoder = nn.Sequential(nn.Conv2d(2, 2, 3, bias=False), nn.InstanceNorm2d(2, affine=True))
        self.encoder_bridge = nn.Linear(2, 2)


def nested():
    """The segmenter inside another module, as padding wraps it."""
    return nn.ModuleDict({"network": Segmenter()})


def described(optimizer, network):
    """Each group as its rate, its decay and the names of its weights."""
    names = {id(weight): name.removeprefix("network.") for name, weight in network.named_parameters()}
    return [
        (group["lr"], group["weight_decay"], [names[id(weight)] for weight in group["params"]])
        for group in optimizer.param_groups
    ]


def step_of(optimizer, weight, gradient):
    weight.grad = torch.tensor(gradient)
    optimizer.step()
    return weight.tolist()


def one_weight(*values):
    network = nn.Module()
    network.weight = nn.Parameter(torch.tensor([list(values)]))
    return network


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
)
def test_the_name_selects_the_optimizer(name, kind):
    assert type(build_optimizer(settings(name=name), 0.1, Segmenter())) is kind


def test_by_default_all_weights_are_one_group_in_the_networks_order():
    network = nested()
    theirs = torch.optim.AdamW(network.parameters(), 0.004, weight_decay=0.01)
    (ours,) = build_optimizer(settings(), 0.004, network).param_groups
    assert [id(weight) for weight in ours["params"]] == [id(weight) for weight in network.parameters()]
    assert ours.pop("base_lr") == 0.004
    assert {**ours, "params": None} == {**theirs.param_groups[0], "params": None}


def test_weights_of_the_encoder_have_their_own_rate():
    network = nested()
    assert described(build_optimizer(settings(encoder_lr=0.5), 0.25, network), network) == [
        (0.125, 0.01, ["encoder.0.weight", "encoder.0.bias", "encoder.1.weight", "encoder.1.bias"]),
        (
            0.25,
            0.01,
            ["decoder.0.weight", "decoder.1.weight", "decoder.1.bias", "encoder_bridge.weight", "encoder_bridge.bias"],
        ),
    ]


def test_norms_and_biases_can_be_spared_the_decay():
    network = nested()
    optimizer = build_optimizer(settings(decay_all=False, encoder_lr=0.5), 0.25, network)
    assert described(optimizer, network) == [
        (0.125, 0.01, ["encoder.0.weight"]),
        (0.125, 0.0, ["encoder.0.bias", "encoder.1.weight", "encoder.1.bias"]),
        (0.25, 0.01, ["decoder.0.weight", "encoder_bridge.weight"]),
        (0.25, 0.0, ["decoder.1.weight", "decoder.1.bias", "encoder_bridge.bias"]),
    ]


@pytest.mark.parametrize(
    "norm",
    [
        nn.BatchNorm1d(4),
        nn.BatchNorm3d(4),
        nn.SyncBatchNorm(4),
        nn.InstanceNorm3d(4, affine=True),
        nn.GroupNorm(2, 4),
        nn.LayerNorm(4),
        nn.LayerNorm([4, 5, 6]),
        nn.RMSNorm([4, 5]),
        Norm["batch", 2](4),
        Norm["instance", 3](4, affine=True),
        Norm["group"](2, 4),
        Norm["layer"]([4, 5]),
        Norm["syncbatch", 2](4),
    ],
    ids=str,
)
def test_no_weight_of_any_norm_decays(norm):
    network = nn.Sequential(nn.Linear(4, 4, bias=False), norm)
    decaying, spared = build_optimizer(settings(decay_all=False), 0.1, network).param_groups
    assert (len(decaying["params"]), decaying["weight_decay"]) == (1, 0.01)
    assert (len(spared["params"]), spared["weight_decay"]) == (len(list(norm.parameters())), 0.0)


def test_frozen_weights_are_left_out():
    network = Segmenter()
    network.encoder.requires_grad_(requires_grad=False)
    (group,) = build_optimizer(settings(encoder_lr=0.5), 0.25, network).param_groups
    assert group["lr"] == 0.25
    assert len(group["params"]) == 5


def test_a_weight_that_two_modules_share_is_in_one_group():
    network = nn.ModuleDict({"encoder": nn.Linear(2, 2, bias=False), "decoder": nn.Linear(2, 2, bias=False)})
    network["decoder"].weight = network["encoder"].weight
    optimizer = build_optimizer(settings(encoder_lr=0.5), 0.25, network)
    assert described(optimizer, network) == [(0.125, 0.01, ["encoder.weight"])]


@pytest.mark.parametrize(
    "network", [Segmenter().requires_grad_(requires_grad=False), nn.ReLU()], ids=["frozen", "empty"]
)
def test_nothing_to_train_is_refused(network):
    with pytest.raises(SegError, match="no weight of the network can be trained"):
        build_optimizer(settings(), 0.1, network)


def test_a_rate_is_set_as_a_share_of_each_groups_own():
    optimizer = build_optimizer(settings(encoder_lr=0.5), 0.25, Segmenter())
    for factor in (0.5, 0.0, 1.0):
        set_rate(optimizer, factor)
        assert [group["lr"] for group in optimizer.param_groups] == [0.125 * factor, 0.25 * factor]


def test_two_steps_of_sgd_with_nesterovs_momentum():
    network = one_weight(1.0)
    optimizer = build_optimizer(settings(name="sgd", momentum=0.5, weight_decay=0.0), 0.25, network)
    # velocity 2, step 2 + 0.5 · 2 = 3; then velocity 0.5 · 2 + 4 = 5, step 4 + 0.5 · 5 = 6.5
    assert step_of(optimizer, network.weight, [[2.0]]) == [[1.0 - 0.25 * 3]]
    assert step_of(optimizer, network.weight, [[4.0]]) == [[0.25 - 0.25 * 6.5]]


def test_sgd_without_momentum_is_plain():
    network = one_weight(1.0)
    optimizer = build_optimizer(settings(name="sgd", momentum=0.0, weight_decay=0.0), 0.25, network)
    assert step_of(optimizer, network.weight, [[2.0]]) == [[0.5]]


def test_the_decay_of_adam_is_a_penalty_and_that_of_adamw_shrinks_the_weight():
    # the first step of Adam is the sign of gradient plus penalty, whatever their length
    stepped = {}
    for name in ("adam", "adamw"):
        network = one_weight(2.0, -2.0)
        optimizer = build_optimizer(settings(name=name, weight_decay=0.5), 0.25, network)
        stepped[name] = step_of(optimizer, network.weight, [[1.0, 0.5]])
    assert stepped["adam"] == [pytest.approx([2.0 - 0.25, -2.0 + 0.25])]
    assert stepped["adamw"] == [pytest.approx([2.0 * 0.875 - 0.25, -2.0 * 0.875 - 0.25])]
