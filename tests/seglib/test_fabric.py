"""Devices and precisions that cannot be had are refused in words; images keep their digits under autocast."""

import pytest
import torch
from torch import nn

from seglib.errors import SegError
from seglib.fabric import open_fabric
from tests.training import train_settings


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    """A machine without GPU, wherever the tests run."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"device": "cuda"}, "train.device: cuda, but this PyTorch sees no GPU"),
        ({"device": "auto", "precision": "fp16"}, "train.precision: fp16 needs a GPU; take auto, bf16 or fp32"),
        ({"device": "auto", "strategy": "fsdp"}, "train.strategy: fsdp needs GPUs; take auto or ddp"),
    ],
    ids=["cuda", "fp16", "fsdp"],
)
def test_what_needs_a_gpu_is_refused_without_one(settings, said):
    with pytest.raises(SegError, match=said):
        open_fabric(train_settings(**settings))


def test_more_gpus_than_there_are_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(SegError, match=r"train.devices: 3, but this machine has 2"):
        open_fabric(train_settings(device="cuda", devices=3, batch_size=3))


class Watched(nn.Module):
    """Remembers what it was given and what its convolution made of it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)

    def forward(self, images):
        self.images, self.features = images, self.conv(images)
        return self.features


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_images_reach_the_network_with_all_their_digits(precision, dtype):
    """bfloat16 has 8 bits of a number: 1000.3 would become 1000."""
    fabric, network = open_fabric(train_settings(precision=precision)), Watched()
    model = fabric.setup(network)
    raw = torch.tensor([1000.3, -977.7, 0.1]).view(1, 1, 1, 3)
    model(raw)
    assert network.images.dtype == torch.float32
    assert torch.equal(network.images, raw)
    assert network.features.dtype == dtype
    assert network.conv.weight.dtype == torch.float32


def test_the_threads_are_those_of_the_settings():
    open_fabric(train_settings(threads=2))
    try:
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
