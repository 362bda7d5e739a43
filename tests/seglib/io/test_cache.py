import pytest
import torch

from seglib.errors import SegError
from seglib.io.cache import open_cache, pack_shard, shard_name, shard_of


def tensors(seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        "image": torch.randint(0, 256, (3, 8, 9), generator=generator).to(torch.uint8),
        "mask": torch.randint(0, 2, (8, 9), generator=generator).to(torch.uint8),
    }


def test_shard_comes_back_as_it_was(tmp_path):
    samples = {name: tensors(i) for i, name in enumerate("abc")}
    (tmp_path / shard_name(0)).write_bytes(pack_shard(samples))
    read = open_cache(tmp_path)
    assert list(read) == list("abc")
    assert all(torch.equal(read[name][kind], samples[name][kind]) for name in samples for kind in samples[name])


def test_equal_content_gives_equal_bytes_whatever_the_order():
    forward = {name: tensors(i) for i, name in enumerate("abc")}
    backward = {name: dict(reversed(forward[name].items())) for name in reversed(forward)}
    assert pack_shard(forward) == pack_shard(backward)


def test_shard_follows_from_the_id_alone():
    assert [shard_of(f"case{i}", 16) for i in range(5)] == [4, 3, 0, 11, 8]
    assert {shard_of(f"case{i}", 4) for i in range(100)} == {0, 1, 2, 3}


def test_damaged_shard_is_named(tmp_path):
    (tmp_path / shard_name(7)).write_bytes(pack_shard({"a": tensors(0)})[:-40])
    with pytest.raises(SegError, match=r"shard-007\.pt: damaged"):
        open_cache(tmp_path)
