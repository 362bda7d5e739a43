import itertools
import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seglib.duplicates
from seglib.duplicates import Pair, clusters, find_pairs
from seglib.facts import sample_facts
from seglib.io.sample import Sample, SegClass, Spec

SPEC = Spec((SegClass("background", (0, 0, 0)), SegClass("one", (1, 1, 1))), 3, "photograph", "", "")


def picture(seed):
    """A smooth random picture, as unlike any other as photographs are."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (96, 80), interpolation=cv2.INTER_CUBIC)


def describe(images, groups=None, sides=None, volume=None):
    samples = []
    for name, image in images.items():
        group, side = (groups or {}).get(name, name), (sides or {}).get(name)
        sample = Sample(name, group, lambda: image, lambda: image, str, side=side, volume=volume)  # noqa: B023
        samples.append(sample_facts(sample, "", image, np.zeros(image.shape[:2], np.uint8), SPEC, None))
    return json.loads(json.dumps(samples))


def pairs_of(images, threshold=0.98, **known):
    return find_pairs(describe(images, **known), threshold)


def reencoded(image):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_COLOR)


COPIES = {
    "equal": lambda image: image.copy(),
    "re-encoded": reencoded,
    "brighter": lambda image: (image * 0.7 + 60).astype(np.uint8),
    "smaller": lambda image: cv2.resize(image, (48, 40), interpolation=cv2.INTER_AREA),
    "of 16 bits": lambda image: image.astype(np.uint16) * 257,
    "noisy": lambda image: np.clip(
        image + np.random.default_rng(9).normal(0, 4, image.shape), 0, 255
    ).astype(np.uint8),
}  # fmt: skip


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_found_among_other_images(how):
    images = {f"p{seed}": picture(seed) for seed in range(12)}
    images["copy"] = COPIES[how](images["p3"])
    [pair] = pairs_of(images)
    assert (pair.first, pair.second, pair.exact) == ("copy", "p3", how == "equal")
    assert pair.correlation == 1 if pair.exact else 0.98 <= pair.correlation <= 1


def test_different_images_are_no_pair():
    assert pairs_of({f"p{seed}": picture(seed) for seed in range(40)}) == []


def alike():
    """Two equal images, and one that is nearly so."""
    return {"a": picture(0), "b": picture(0), "c": COPIES["noisy"](picture(0))}


def names_of(pairs):
    return [pair.first + pair.second for pair in pairs]


def test_of_one_group_only_equal_images_are_told():
    one = dict.fromkeys("abc", "patient")
    assert pairs_of(alike(), groups=one) == [Pair("a", "b", 1.0, exact=True)]
    assert names_of(pairs_of(alike(), groups=one | {"c": "another"})) == ["ab", "ac", "bc"]
    assert names_of(pairs_of(alike(), groups=one | {"b": "another"})) == ["ab", "bc"]


def test_images_of_one_group_on_several_official_sides_are_compared():
    one = dict.fromkeys("abc", "patient")
    assert names_of(pairs_of(alike(), groups=one, sides=dict.fromkeys("abc", "train"))) == ["ab"]
    assert names_of(pairs_of(alike(), groups=one, sides={"a": "train", "b": "train", "c": "test"})) == [
        "ab",
        "ac",
        "bc",
    ]
    assert names_of(pairs_of(alike(), groups=one, sides={"c": "test"})) == ["ab", "ac", "bc"]


def test_equal_slices_of_a_volume_are_normal():
    one = dict.fromkeys("abc", "patient")
    assert pairs_of(alike(), groups=one, volume="scan") == []
    assert names_of(pairs_of(alike(), groups=one | {"b": "another"}, volume="scan")) == ["ab", "bc"]


def test_the_index_alone_decides():
    facts = describe({"a": picture(0), "b": picture(1)})
    facts[1]["thumbnail"] = facts[0]["thumbnail"]
    assert find_pairs(facts, 0.98) == [Pair("a", "b", 1.0, exact=False)]


def test_details_of_a_32nd_of_the_side_tell_images_apart():
    image = picture(0)
    stripes = np.where(np.arange(80) // 3 % 2, 0, 90)[:, None, None]
    images = {"plain": image, "striped": np.clip(image * 0.6 + stripes, 0, 255).astype(np.uint8)}
    assert pairs_of(images) == []
    assert len(pairs_of(images, threshold=0.51)) == 1


def test_exact_copies_reach_any_threshold():
    assert len(pairs_of({"a": picture(0), "b": picture(0)}, threshold=1.0)) == 1


def test_nothing_to_compare_is_no_pair():
    assert find_pairs([], 0.98) == []
    assert pairs_of({"a": picture(0)}) == []


def test_plain_images_are_like_no_other():
    assert pairs_of({"a": np.zeros((20, 20, 3), np.uint8), "b": np.full((20, 20, 3), 9, np.uint8)}) == []


@pytest.mark.parametrize("block", [1, 3, 7, 1024])
def test_blocks_find_what_brute_force_finds(block, monkeypatch):
    kinds = [0, 1, 0, 2, 3, 1, 0, 4, 5, 2, 6]
    images = {f"{i:02d}": COPIES["noisy"](picture(kind)) if i % 2 else picture(kind) for i, kind in enumerate(kinds)}
    monkeypatch.setattr(seglib.duplicates, "BLOCK", block)
    expected = [
        (a, b) for (a, one), (b, two) in itertools.combinations(zip(images, kinds, strict=True), 2) if one == two
    ]
    assert [(pair.first, pair.second) for pair in pairs_of(images)] == expected


@given(st.lists(st.tuples(*[st.sampled_from("abcdefghijkl")] * 2).filter(lambda pair: pair[0] != pair[1]), max_size=14))
def test_clusters_are_the_connected_components(pairs):
    near = {name: {b for pair in pairs for b in pair if name in pair} for name in {n for pair in pairs for n in pair}}
    expected = set()
    for start in near:
        reached, todo = {start}, [start]
        while todo:
            todo += [name for name in near[todo.pop()] if name not in reached and not reached.add(name)]
        expected.add(tuple(sorted(reached)))
    assert clusters(pairs) == sorted(map(list, expected))


def test_a_large_cluster_is_joined_quickly():
    names = [f"{i:04d}" for i in range(600)]
    assert clusters(list(itertools.combinations(names, 2))) == [names]
