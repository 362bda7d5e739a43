import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.errors import SegError
from seglib.sections.split import Split
from seglib.splitting import SIDES, split_samples

SETTINGS = Split(val=0.15, test=0.2, seed=0)


def index(groups):
    return [
        {"id": f"{group}-{i}", "group": group, "pixels": [9, 1]}
        for group, number in groups.items()
        for i in range(number)
    ]


names = st.dictionaries(st.text(min_size=1, max_size=6), st.integers(1, 4), min_size=3, max_size=60)


@given(names, st.integers(0, 1000))
def test_every_sample_has_one_side_and_groups_stay_whole(groups, seed):
    sides = split_samples(index(groups), Split(val=0.2, test=0.3, seed=seed))
    ids = [i for side in SIDES for i in sides[side]]
    assert sorted(ids) == sorted(sample["id"] for sample in index(groups))
    assert all(sides.values())
    group_of = {sample["id"]: sample["group"] for sample in index(groups)}
    held = [{group_of[i] for i in sides[side]} for side in SIDES]
    assert sum(map(len, held)) == len(set().union(*held)) == len(groups)


@given(names, st.randoms())
def test_order_does_not_matter(groups, random):
    samples = index(groups)
    shuffled = random.sample(samples, len(samples))
    assert split_samples(samples, SETTINGS) == split_samples(shuffled, SETTINGS)


def test_new_groups_move_no_old_one():
    old = {f"patient{i}": 2 for i in range(100)}
    before = split_samples(index(old), SETTINGS)
    after = split_samples(index(old | {f"new{i}": 2 for i in range(10)}), SETTINGS)
    assert all(set(before[side]) <= set(after[side]) for side in SIDES)


def test_shares_are_near_what_was_asked_for():
    sides = split_samples(index({f"patient{i}": 1 for i in range(4000)}), SETTINGS)
    assert len(sides["test"]) / 4000 == pytest.approx(0.2, abs=0.02)
    assert len(sides["val"]) / 4000 == pytest.approx(0.15, abs=0.02)


def test_another_seed_splits_otherwise():
    samples = index({f"patient{i}": 1 for i in range(50)})
    assert split_samples(samples, SETTINGS) != split_samples(samples, Split(val=0.15, test=0.2, seed=1))


def test_too_few_groups_are_refused():
    with pytest.raises(SegError, match="4 samples in 2 groups"):
        split_samples(index({"a": 2, "b": 2}), SETTINGS)


def test_a_side_without_foreground_is_refused():
    samples = [sample | {"pixels": [10, 0]} for sample in index({f"patient{i}": 1 for i in range(50)})]
    with pytest.raises(SegError, match="no mask of the side train and val and test shows a foreground class"):
        split_samples(samples, SETTINGS)
