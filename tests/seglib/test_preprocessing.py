"""The cache costs what changed, and ends where a clean rebuild ends."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from seglib.errors import SegError
from seglib.io.cache import open_cache, shard_of
from seglib.io.sample import IGNORE, Sample, SegClass, Spec
from seglib.preprocessing import Built, CacheBuilder, write_index
from seglib.sections.preprocess import Preprocess

SPEC = Spec((SegClass("background", (0, 0, 0)), SegClass("one", (9, 9, 9))), 3, "photograph", "own", "nobody")


def settings(**changed) -> Preprocess:
    defaults = {
        "image_size": 32,
        "resize": "stretch",
        "spacing": [],
        "window": [-100.0, 400.0],
        "percentiles": [0.0, 100.0],
        "shards": 6,
        "store_limit_gb": 1.0,
        "backend": "threads",
        "scheduler": "",
    }
    return Preprocess(**{**defaults, **changed})


def sample(name: str, seed: int, shape=(40, 48), channels: int = 3, dtype: str = "uint8", **fields) -> Sample:
    random = np.random.default_rng(seed)
    image = random.integers(0, 250, (*shape, channels)).astype(dtype)
    mask = random.integers(0, 2, shape).astype(np.uint8)
    fields = {"image": lambda: image, "mask": lambda: mask, "group": name, **fields}
    return Sample(id=name, fingerprint=lambda: hashlib.sha256(image.tobytes()).hexdigest(), **fields)


def dozen() -> list[Sample]:
    return [sample(f"case{i:02d}", i) for i in range(12)]


def build(samples: Sequence[Sample], cache: Path, store: Path, digest: str = "code", spec: Spec = SPEC, **changed):
    built = CacheBuilder(samples, spec, settings(**changed), digest, cache, store).build()
    return built, {file.name: file.read_bytes() for file in cache.iterdir()}


def entries(store: Path) -> set[str]:
    return {file.name for file in store.iterdir() if file.suffix == ".pt"} if store.is_dir() else set()


def unreadable(message: str = "ends in mid-image"):
    def read():
        raise SegError(f"bad.png: {message}")

    return read


def test_one_changed_image_costs_one_shard(tmp_path):
    store, samples = tmp_path / "store", dozen()
    build(samples, tmp_path / "first", store)
    before = entries(store)
    samples[5] = sample("case05", seed=77)
    changed = build(samples, tmp_path / "second", store)
    assert len(entries(store) - before) == 1
    assert changed == build(samples, tmp_path / "clean", tmp_path / "empty store")


@pytest.mark.parametrize(
    "changed",
    [
        {"digest": "other code"},
        {"spec": replace(SPEC, modality="ct")},
        {"spec": replace(SPEC, overlapping=True)},
        {"image_size": 40},
        {"resize": "pad"},
        {"window": [0.0, 1.0]},
        {"percentiles": [1.0, 99.0]},
    ],
    ids=str,
)
def test_what_decides_about_pixels_or_facts_takes_nothing_from_the_store(tmp_path, changed):
    store = tmp_path / "store"
    build(dozen(), tmp_path / "first", store)
    before = entries(store)
    build(dozen(), tmp_path / "second", store, **changed)
    assert len(entries(store)) == 2 * len(before)


def test_other_limits_of_the_store_take_everything_from_it(tmp_path):
    store = tmp_path / "store"
    first = build(dozen(), tmp_path / "first", store)
    before = entries(store)
    assert build(dozen(), tmp_path / "second", store, store_limit_gb=0.5) == first
    assert entries(store) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"side": "test"},
        {"group": "other"},
        {"source": "images/other.png"},
        {"facts": {"nuclei": 3}},
        {"spacing": (1.0, 2.0)},
        {"volume": "case05"},
    ],
    ids=str,
)
def test_what_the_index_knows_of_a_sample_belongs_to_the_key_of_its_shard(tmp_path, changed):
    store, samples = tmp_path / "store", dozen()
    build(samples, tmp_path / "first", store)
    before = entries(store)
    samples[5] = replace(samples[5], **changed)
    built, _ = build(samples, tmp_path / "second", store)
    assert len(entries(store) - before) == 1
    [key] = changed
    expected = json.loads(json.dumps(changed[key]))
    assert built.facts[5]["more" if key == "facts" else key] == expected


def test_damaged_store_entry_is_made_anew(tmp_path):
    store = tmp_path / "store"
    good = build(dozen(), tmp_path / "first", store)
    for file in store.iterdir():
        file.write_bytes(file.read_bytes()[:-5])
    assert build(dozen(), tmp_path / "second", store) == good


def test_writing_into_the_cache_leaves_the_store_alone(tmp_path):
    store = tmp_path / "store"
    good = build(dozen(), tmp_path / "first", store)
    for file in (tmp_path / "first").iterdir():
        with file.open("r+b") as shard:
            shard.write(b"broken")
    assert build(dozen(), tmp_path / "second", store) == good


def test_what_an_earlier_build_left_in_the_cache_goes(tmp_path):
    build(dozen(), tmp_path / "cache", tmp_path / "store")
    build(dozen()[:1], tmp_path / "cache", tmp_path / "store")
    assert list(open_cache(tmp_path / "cache")) == ["case00"]


def test_facts_do_not_depend_on_the_cached_size(tmp_path):
    small, _ = build(dozen(), tmp_path / "small", tmp_path / "store")
    large, _ = build(dozen(), tmp_path / "large", tmp_path / "store", image_size=[16, 24], shards=2)
    assert small == large
    assert [facts["id"] for facts in small.facts] == [f"case{i:02d}" for i in range(12)]
    assert small.facts[0]["shape"] == [40, 48]
    assert sum(small.facts[0]["pixels"]) == 40 * 48


def test_all_bad_samples_are_told_at_once_and_the_good_ones_are_cached(tmp_path):
    store, samples = tmp_path / "store", dozen()
    samples[2] = replace(samples[2], image=unreadable())
    samples[6] = replace(samples[6], mask=lambda: np.zeros((3, 4), np.uint8))
    samples[7] = replace(samples[7], mask=lambda: np.full((40, 48), 2, np.uint8))
    samples[9] = replace(samples[9], fingerprint=unreadable("gone"), image=unreadable("gone"))
    built, _ = build(samples, tmp_path / "cache", store)
    assert built.problems == {
        "case02": "bad.png: ends in mid-image",
        "case06": "sample 'case06': the image has 48×40 pixels, its mask 4×3; both must have the same size",
        "case07": "sample 'case07': mask value 2, but the largest is 1",
        "case09": "bad.png: gone",
    }
    good = [f"case{i:02d}" for i in range(12) if i not in (2, 6, 7, 9)]
    assert [facts["id"] for facts in built.facts] == good
    cache = open_cache(tmp_path / "cache")
    assert sorted(cache) == good
    bad = {shard_of(name, 6) for name in built.problems}
    assert len(entries(store)) == len({shard_of(name, 6) for name in good} - bad) > 0


@pytest.mark.parametrize(
    "error",
    [
        cv2.error("(-4:Insufficient memory)"),
        MemoryError("no 9 GiB"),
        ValueError("odd shape"),
        OSError("gone"),
        KeyError("rows"),
        RuntimeError("broken"),
        ZeroDivisionError("by zero"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_fails_in_a_sample_is_a_problem_of_that_sample(tmp_path, error):
    def fail():
        raise error

    store, samples = tmp_path / "store", dozen()
    samples[4] = replace(samples[4], image=fail)
    built, _ = build(samples, tmp_path / "cache", store)
    [(name, message)] = built.problems.items()
    assert name == "case04"
    assert message.startswith(f"sample 'case04': cannot be processed ({type(error).__name__}: ")
    assert str(error) in message
    assert len(built.facts) == len(open_cache(tmp_path / "cache")) == 11
    assert len(entries(store)) == len({shard_of(f"case{i:02d}", 6) for i in range(12)}) - 1


def test_a_repaired_sample_ends_where_a_clean_build_ends(tmp_path):
    samples = dozen()
    broken = [*samples[:3], replace(samples[3], image=unreadable()), *samples[4:]]
    build(broken, tmp_path / "cache", tmp_path / "store")
    assert build(samples, tmp_path / "cache", tmp_path / "store") == build(
        samples, tmp_path / "clean", tmp_path / "new"
    )


def test_geometry_that_does_not_fit_is_told_of_each_sample(tmp_path):
    built, _ = build(dozen()[:2], tmp_path / "cache", tmp_path / "store", spacing=[1.0, 1.0])
    assert list(built.problems) == ["case00", "case01"]
    assert all("no known spacing" in message for message in built.problems.values())
    assert built.facts == []


def test_slices_of_one_volume_lie_in_one_shard(tmp_path):
    samples = [sample(f"{v}-{z}", z, volume=v, group=v) for v in ("a", "b", "c") for z in range(5)]
    build(samples, tmp_path / "cache", tmp_path / "store", shards=50)
    held = [set(torch.load(file, weights_only=True)) for file in (tmp_path / "cache").iterdir()]
    assert sorted(map(sorted, held)) == [[f"{v}-{z}" for z in range(5)] for v in ("a", "b", "c")]


def test_slices_are_scaled_by_the_percentiles_of_their_volume(tmp_path):
    volume = np.arange(4 * 10 * 10, dtype=np.int16).reshape(4, 10, 10, 1)
    mask = np.ones((10, 10), np.uint8)
    samples = [
        Sample(f"v-{z}", "v", lambda z=z: volume[z], lambda: mask, str, volume="v", whole=lambda: volume)
        for z in range(4)
    ]
    built, _ = build(
        samples, tmp_path / "cache", tmp_path / "store", spec=replace(SPEC, channels=1, modality="mri"), image_size=1.0
    )
    assert [facts["limits"] for facts in built.facts] == [[[0], [399]]] * 4
    assert [facts["dtype"] for facts in built.facts] == ["int16"] * 4
    cache = open_cache(tmp_path / "cache")
    found = np.concatenate([cache[f"v-{z}"]["image"].numpy().ravel() for z in range(4)])
    np.testing.assert_allclose(found, np.arange(400) / 399, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize(("channels", "shape"), [(1, (40, 48)), (6, (40, 48)), (1, (5, 40, 48)), (2, (5, 40, 48))])
@pytest.mark.parametrize("resize", ["stretch", "pad", "native"])
def test_tensors_keep_type_and_channels(tmp_path, dtype, channels, shape, resize):
    samples = [sample("a", 0, shape, channels, dtype, spacing=(1.0,) * len(shape))]
    spec = replace(SPEC, channels=channels)
    built, _ = build(samples, tmp_path / "cache", tmp_path / "store", spec=spec, resize=resize)
    assert built.problems == {}
    tensors = open_cache(tmp_path / "cache")["a"]
    size = shape if resize == "native" else (32,) * len(shape)
    assert tensors["image"].shape == (channels, *size)
    assert tensors["image"].numpy().dtype == dtype
    assert tensors["mask"].shape == size
    assert (tensors["mask"] == IGNORE).any() == (resize == "pad")
    if resize == "native":
        np.testing.assert_array_equal(np.moveaxis(tensors["image"].numpy(), 0, -1), samples[0].image())


def test_ct_is_clipped_but_its_facts_are_those_of_the_file(tmp_path):
    image = np.linspace(-1000, 3000, 48 * 40).astype(np.int16).reshape(40, 48, 1)
    samples = [replace(sample("a", 0), image=lambda: image)]
    spec = replace(SPEC, channels=1, modality="ct")
    built, _ = build(samples, tmp_path / "cache", tmp_path / "store", spec=spec, image_size=1.0)
    cached = open_cache(tmp_path / "cache")["a"]["image"]
    assert (cached.dtype, cached.min(), cached.max()) == (torch.int16, -100, 400)
    assert [built.facts[0][key] for key in ("least", "most", "limits")] == [-1000, 3000, [[-100], [400]]]


def test_tasks_may_run_elsewhere_in_any_order(tmp_path):
    def backwards(builder: CacheBuilder):
        return iter([builder.write(number) for number in sorted(builder.shards, reverse=True)])

    here = build(dozen(), tmp_path / "here", tmp_path / "store")
    elsewhere = CacheBuilder(dozen(), SPEC, settings(), "code", tmp_path / "there", tmp_path / "other").build(backwards)
    assert elsewhere == here[0]
    assert {file.name: file.read_bytes() for file in (tmp_path / "there").iterdir()} == here[1]


def test_nothing_gives_nothing(tmp_path):
    built, shards = build([], tmp_path / "cache", tmp_path / "store")
    assert built == Built([], {})
    assert shards == {}


def test_index_holds_the_data_set_and_the_samples(tmp_path):
    built, _ = build(dozen(), tmp_path / "cache", tmp_path / "store")
    write_index(tmp_path / "index.json", "own", SPEC, built.facts, "coronal")
    index = json.loads((tmp_path / "index.json").read_text())
    assert index["samples"] == built.facts
    assert index["dataset"] == {
        "name": "own",
        "take": "coronal",
        "classes": [{"name": "background", "colour": [0, 0, 0]}, {"name": "one", "colour": [9, 9, 9]}],
        "channels": 3,
        "modality": "photograph",
        "licence": "own",
        "citation": "nobody",
        "overlapping": False,
    }
