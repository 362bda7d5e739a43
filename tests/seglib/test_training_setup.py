"""What a trained model says about itself."""

import json

import pytest
import torch

from seglib.config import read_params
from seglib.errors import SegError
from seglib.io.cache import pack_shard
from seglib.leakage import digests, refuse_seen
from seglib.training_setup import Setup
from tests.model_cards import CARD

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
