"""Lists of authors that say which sample stands on which side."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.errors import SegError
from seglib.splitting import SIDES, leaks, split_samples
from tests.splits import DRAWN, official, settings, side_of


def listed_in(sides):
    return {side: Counter(name.rstrip("0123456789") for name in sides[side]) for side in SIDES}


def test_official_lists_are_honoured():
    sides = split_samples(official(train=9, val=4, test=5), [], settings())
    assert listed_in(sides) == {"train": {"train": 9}, "val": {"val": 4}, "test": {"test": 5}}


@given(st.integers(0, 100))
def test_unlisted_samples_join_no_official_measuring_side(seed):
    sides = split_samples(official(train=9, val=4, test=5, unlisted=20), [], settings(seed=seed))
    assert listed_in(sides) == {"train": {"train": 9, "unlisted": 20}, "val": {"val": 4}, "test": {"test": 5}}
    sides = split_samples(official(train=9, test=5, unlisted=20), [], settings(seed=seed))
    assert listed_in(sides)["test"] == {"test": 5}


@given(st.integers(0, 100), st.sampled_from(list(DRAWN)))
def test_without_a_test_list_val_is_the_test_side_and_val_is_drawn_from_train(seed, how):
    asked = settings(seed=seed, **DRAWN[how])
    if asked.folds:
        with pytest.raises(SegError, match=r"split\.folds: the official lists"):
            split_samples(official(train=40, val=6, test=3), [], asked)
    sides = split_samples(official(train=40, val=6), [], asked)
    found = listed_in(sides)
    assert found["test"] == {"val": 6}
    assert set(found["val"]) == set(found["train"]) == {"train"}


@pytest.mark.parametrize("stratify", [False, True])
def test_folds_beside_an_official_test_side_are_validated_on(stratify):
    samples = official(train=30, test=6, unlisted=10)
    folds = [split_samples(samples, [], settings(folds=4, fold=k, stratify=stratify)) for k in range(4)]
    assert all(listed_in(part)["test"] == {"test": 6} for part in folds)
    validated = [name for part in folds for name in part["val"]]
    assert sorted(validated) == sorted(entry["id"] for entry in samples if entry["side"] != "test")


def test_a_list_of_training_samples_alone_leaves_all_to_chance():
    assert listed_in(split_samples(official(train=200), [], settings())).keys() == set(SIDES)


def test_official_lists_can_be_left_aside():
    samples = official(train=30, val=4, test=5)
    plain = [entry | {"side": None} for entry in samples]
    assert split_samples(samples, [], settings(official=False)) == split_samples(plain, [], settings())
    split_samples(samples, [], settings(official=False, folds=3))


def test_leaks_of_official_lists_are_told():
    samples = official(train=5, val=3, test=3)
    samples[0]["group"] = samples[8]["group"] = "drive"
    clusters = [["test1", "train1", "val2"], ["train2", "train3"]]
    sides = split_samples(samples, clusters, settings())
    assert leaks(sides, samples, clusters) == [
        "near-identical images on several sides: test1 (test), train1 (train), val2 (val)",
        "group 'drive' is on several sides: train, test",
    ]


def test_unlisted_samples_go_with_the_listed_ones_of_their_unit():
    samples = official(train=9, val=4, test=5, unlisted=8)
    samples[-1]["group"] = "val1"
    clusters = [
        ["unlisted0", "test0"],
        ["unlisted1", "unlisted0"],
        ["unlisted2", "val0"],
        ["unlisted3", "train0"],
        ["unlisted4", "val2", "train1"],
        ["unlisted5", "test1", "val3", "train2"],
    ]
    own = side_of(split_samples(samples, clusters, settings()))
    assert [own[f"unlisted{i}"] for i in range(8)] == ["test", "test", "val", "train", "val", "test", "train", "val"]
    assert all(own[name].startswith(name.rstrip("0123456789")) for name in own if not name.startswith("unlisted"))


@given(st.integers(0, 100), st.sampled_from(list(DRAWN)))
def test_unlisted_twins_of_test_samples_are_never_trained_on(seed, how):
    samples = official(train=30, test=6, unlisted=20)
    clusters = [["test0", "unlisted0"], ["test1", "unlisted1", "unlisted2"], ["unlisted2", "unlisted3"]]
    sides = split_samples(samples, clusters, settings(seed=seed, **DRAWN[how]))
    assert {name for name in sides["test"] if name.startswith("unlisted")} == {f"unlisted{i}" for i in range(4)}
    assert leaks(sides, samples, clusters) == []
