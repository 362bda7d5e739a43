"""The cache costs what changed, and ends where a clean rebuild ends."""

from pathlib import Path

import pytest

from seglib.datasets import folder
from seglib.errors import SegError
from seglib.preprocessing import CacheBuilder
from seglib.sections.preprocess import Preprocess
from tests.project import write_pair

CLASSES = [folder.MaskClass(name="background", value=0), folder.MaskClass(name="foreground", value=255)]
PARAMS = folder.Params(channels=3, classes=CLASSES)
SETTINGS = Preprocess(image_size=32, shards=6, store_limit_gb=1.0)


def build(images: Path, cache: Path, store: Path, digest: str = "code", settings: Preprocess = SETTINGS):
    builder = CacheBuilder(folder.spec(PARAMS), settings, digest, cache, store)
    facts = builder.build(folder.samples(images, PARAMS))
    return facts, {file.name: file.read_bytes() for file in cache.iterdir()}


def entries(store: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in store.iterdir() if file.suffix == ".pt"}


def test_one_changed_image_costs_one_shard(images, tmp_path):
    store = tmp_path / "store"
    build(images, tmp_path / "first", store)
    before = entries(store)
    write_pair(images, "case05", seed=77)
    changed = build(images, tmp_path / "second", store)
    assert len(entries(store).keys() - before.keys()) == 1
    assert changed == build(images, tmp_path / "clean", tmp_path / "empty store")


def test_other_code_takes_nothing_from_the_store(images, tmp_path):
    store = tmp_path / "store"
    build(images, tmp_path / "first", store)
    before = entries(store)
    build(images, tmp_path / "second", store, digest="other code")
    assert len(entries(store)) == 2 * len(before)


def test_damaged_store_entry_is_made_anew(images, tmp_path):
    store = tmp_path / "store"
    good = build(images, tmp_path / "first", store)
    for file in store.iterdir():
        file.write_bytes(file.read_bytes()[:-5])
    assert build(images, tmp_path / "second", store) == good


def test_writing_into_the_cache_leaves_the_store_alone(images, tmp_path):
    store = tmp_path / "store"
    good = build(images, tmp_path / "first", store)
    for file in (tmp_path / "first").iterdir():
        with file.open("r+b") as shard:
            shard.write(b"broken")
    assert build(images, tmp_path / "second", store) == good


def test_facts_do_not_depend_on_the_cached_size(images, tmp_path):
    small, _ = build(images, tmp_path / "small", tmp_path / "store")
    settings = Preprocess(image_size=[16, 24], shards=2, store_limit_gb=1.0)
    large, _ = build(images, tmp_path / "large", tmp_path / "store", settings=settings)
    assert small == large
    assert small[0] | {"fingerprint": ""} == {
        "id": "case00",
        "group": "case00",
        "height": 40,
        "width": 48,
        "spacing": None,
        "pixels": small[0]["pixels"],
        "fingerprint": "",
    }
    assert sum(small[0]["pixels"]) == 40 * 48


def test_image_and_mask_of_different_size_are_told(images, tmp_path):
    write_pair(images, "case03", seed=0, height=44)
    mask = (images / "masks/case04.png").read_bytes()
    (images / "masks/case03.png").write_bytes(mask)
    with pytest.raises(SegError, match="'case03': the image has 48×44 pixels, its mask 48×40"):
        build(images, tmp_path / "cache", tmp_path / "store")
