"""What a trained model says about itself, and what a training is put together from."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seglib.config import read_params
from seglib.errors import SegError
from seglib.fabric import open_fabric
from seglib.io.cache import pack_shard
from seglib.leakage import digests, refuse_seen
from seglib.paths import CACHE, ENCODER, INDEX, SPLIT
from seglib.training_setup import Setup
from seglib.training_state import weights
from tests.model_cards import CARD
from tests.prepared import prepare, small_params

SIDES = {"train": ["a1", "b1", "c1"], "val": ["d1"], "test": ["a2", "e1"]}
"""An official list has parted the group a."""


@pytest.fixture
def card(tmp_path):
    tensors = {"image": torch.zeros(1, 8, 8, dtype=torch.uint8), "mask": torch.ones(8, 8, dtype=torch.uint8)}
    ids = [key for side in SIDES.values() for key in side]
    samples = [{"id": key, "group": key[0], "pixels": [0, 64], "fingerprint": key, "dtype": "uint8"} for key in ids]
    (tmp_path / "index.json").write_text(json.dumps({"dataset": CARD.dataset | {"channels": 1}, "samples": samples}))
    (tmp_path / "split.json").write_text(json.dumps(SIDES))
    (tmp_path / "shard-000.pt").write_bytes(pack_shard(dict.fromkeys(ids, tensors)))
    return Setup(read_params(), tmp_path / "index.json", tmp_path, tmp_path / "split.json").card


def test_a_card_remembers_cases_and_groups_of_training_and_validation(card):
    assert card.seen == digests(["a1", "b1", "c1", "d1"], ["b", "c", "d"])


def test_a_model_may_be_measured_on_the_test_side_of_its_own_split_and_on_no_other(card):
    refuse_seen({"best.pt": card}, {"a2": "a", "e1": "e"})
    for case in ({"d1": "d"}, {"a1": "a"}, {"b7": "b"}):
        with pytest.raises(SegError):
            refuse_seen({"best.pt": card}, {"e1": "e", **case})


@pytest.fixture
def prepared(own_folder):
    """Write what `train` starts with, and read it back."""

    def build(sizes=(16,), **changes):
        params = small_params()
        for section, values in changes.items():
            params[section] |= values
        prepare(params, sizes=sizes)
        return Setup(params, INDEX, CACHE, SPLIT)

    return build


def opened(setup):
    return setup.training(open_fabric(setup.settings), ENCODER)


def test_the_validation_side_is_never_augmented(prepared):
    setup = prepared(augment={"name": "bright", "bright": [{"RandomBrightnessContrast": {"p": 1.0}}]})
    training = opened(setup)
    training.batches.epoch = 1
    assert not seen(training.loader) & stored(setup, "train")
    assert seen(training.validator.loader) == stored(setup, "val")


def seen(loader):
    """The bytes of all images that a loader gives."""
    return {image.numpy().tobytes() for images, _ in loader for image in images}


def stored(setup, side):
    return {setup.cache[key]["image"].numpy().tobytes() for key in setup.sides[side]}


def test_training_images_of_several_sizes_are_refused_where_processes_share_them(prepared, monkeypatch):
    setup = prepared(sizes=(16, 24))
    fabric = open_fabric(setup.settings)
    monkeypatch.setattr(Fabric, "world_size", 2)
    with pytest.raises(SegError, match=r"train.devices: the 8 training images differ in size.*or train.devices: 1"):
        setup.training(fabric, ENCODER)


@pytest.mark.parametrize("first", [True, False])
def test_of_several_processes_the_first_tells_what_matched_of_a_weight_file(prepared, monkeypatch, capsys, first):
    setup = prepared()
    ENCODER.write_bytes(b"published weights")
    report = SimpleNamespace(describe=lambda: "58 of 58 tensors")
    monkeypatch.setattr("seglib.training_setup.load_encoder", lambda *_: report)
    fabric = open_fabric(setup.settings)
    monkeypatch.setattr(Fabric, "is_global_zero", first)
    setup.training(fabric, ENCODER)
    assert capsys.readouterr().out == "58 of 58 tensors\n" * first


def curve(training):
    training.fit(lambda *_: None)
    return [(epoch.train_loss, epoch.val_loss, epoch.val_dice) for epoch in training.history]


@pytest.fixture
def plain(prepared):
    """The curve of a training without any of the switches; leaves its inputs where they are."""
    return curve(opened(prepared()))


def switched(**settings):
    return opened(Setup(small_params(**settings), INDEX, CACHE, SPLIT))


def test_channels_last_moves_the_channels_and_no_number(plain):
    training = switched(channels_last=True)
    kernels = [weight for weight in training.network.parameters() if weight.ndim == 4 and min(weight.shape[:2]) > 1]
    assert kernels
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    np.testing.assert_allclose(curve(training), plain, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_a_compiled_network_learns_the_same_and_keeps_the_names_of_its_weights(plain):
    training = switched(compile=True)
    np.testing.assert_allclose(curve(training), plain, rtol=1e-3)
    assert list(weights(training)) == list(weights(switched()))


def test_a_training_on_the_cpu_leaves_a_gpu_alone(prepared, monkeypatch):
    """Pinned memory would be a GPU's."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    training = opened(prepared())
    assert not training.loader.pin_memory
    assert not training.validator.loader.pin_memory
