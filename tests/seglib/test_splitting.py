import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.errors import SegError
from seglib.seeding import unit_interval
from seglib.splitting import SIDES, balance, leaks, read_split, split_samples
from tests.splits import DRAWN, index, official, patients, sample, settings, side_of

names = st.dictionaries(st.text(min_size=1, max_size=6), st.integers(1, 4), min_size=12, max_size=40)


@st.composite
def clustered(draw):
    """Samples of many groups, and clusters that leave enough units."""
    samples = index(draw(names))
    ids = [entry["id"] for entry in samples]
    return samples, draw(st.lists(st.lists(st.sampled_from(ids), min_size=2, max_size=3, unique=True), max_size=3))


def units_of(samples, clusters):
    """Connected groups, found by spreading the least name until nothing changes."""
    group_of = {entry["id"]: entry["group"] for entry in samples}
    label = {group: group for group in group_of.values()}
    while True:
        before = dict(label)
        for cluster in clusters:
            least = min(label[group_of[name]] for name in cluster)
            label |= {group_of[name]: least for name in cluster}
        if label == before:
            return {name: label[group] for name, group in group_of.items()}


@pytest.mark.parametrize("how", DRAWN)
@given(clustered(), st.integers(0, 1000))
def test_every_sample_has_one_side_and_groups_and_clusters_stay_whole(how, data, seed):
    samples, clusters = data
    try:
        sides = split_samples(samples, clusters, settings(seed=seed, **DRAWN[how]))
    except SegError as error:
        assert "folds" in how
        assert "split.fold" in str(error)  # noqa: PT017
        return
    assert sorted(name for side in SIDES for name in sides[side]) == sorted(entry["id"] for entry in samples)
    assert all(sides.values())
    unit_of, own = units_of(samples, clusters), side_of(sides)
    held = {(unit_of[name], own[name]) for name in own}
    assert len(held) == len(set(unit_of.values()))
    assert leaks(sides, samples, clusters) == []


@pytest.mark.parametrize("how", DRAWN)
@given(clustered(), st.randoms())
def test_the_order_of_samples_and_clusters_does_not_matter(how, data, random):
    def outcome(samples, clusters):
        try:
            return split_samples(samples, clusters, settings(**DRAWN[how]))
        except SegError as error:
            return str(error)

    samples, clusters = data
    mixed = [random.sample(cluster, len(cluster)) for cluster in random.sample(clusters, len(clusters))]
    assert outcome(samples, clusters) == outcome(random.sample(samples, len(samples)), mixed)


@pytest.mark.parametrize("folds", [0, 2, 5, 10])
@pytest.mark.parametrize("seed", range(5))
def test_new_groups_move_no_old_one(folds, seed):
    old = {f"patient{i}": 2 for i in range(100)}
    asked = settings(seed=seed, folds=folds, fold=max(folds - 1, 0))
    before = split_samples(index(old), [], asked)
    after = split_samples(index(old | {f"new{i}": 2 for i in range(10)}), [], asked)
    assert all(set(before[side]) <= set(after[side]) for side in SIDES)


def test_new_near_duplicates_move_only_their_own_groups():
    samples = patients(60)
    before = side_of(split_samples(samples, [], settings()))
    after = side_of(split_samples(samples, [["patient3-0", "patient40-0"]], settings()))
    assert {name for name in before if before[name] != after[name]} <= {"patient3-0", "patient40-0"}


@pytest.mark.parametrize("folds", [0, 4])
@given(st.integers(0, 500), st.integers(0, 59), st.integers(0, 500))
def test_a_newcomer_that_joins_a_group_moves_it_only_by_a_lower_hash(folds, seed, joined, number):
    asked = settings(seed=seed, folds=folds, fold=max(folds - 1, 0))
    own, new = f"patient{joined}", f"new{number}"
    before = side_of(split_samples(patients(60), [], asked))
    after = side_of(split_samples([*patients(60), sample(f"{new}-0", new)], [[f"{own}-0", f"{new}-0"]], asked))
    moved = {name for name in before if before[name] != after[name]}
    assert after[f"{new}-0"] == after[f"{own}-0"]
    assert moved <= {f"{own}-0"}
    if unit_interval(seed, new) > unit_interval(seed, own) and unit_interval(seed, "val", new) > unit_interval(
        seed, "val", own
    ):
        assert moved == set()


@pytest.mark.parametrize("folds", [0, 5])
def test_new_groups_move_few_old_ones_where_strata_are_balanced(folds):
    def kinds(name, number):
        rows = [[1000 - area, area] for area in (5, 20, 60, 200, 600)]
        return [
            sample(f"{name}{k}-{i}", f"{name}{k}-{i}", row) | {"shape": [20, 50]}
            for k, row in enumerate(rows)
            for i in range(number)
        ]

    old, shares = kinds("old", 40), []
    for seed in range(20):
        asked = settings(seed=seed, stratify=True, folds=folds)
        before = side_of(split_samples(old, [], asked))
        after = side_of(split_samples([*old, *kinds("new", 4)], [], asked))
        shares.append(sum(before[name] != after[name] for name in before) / len(before))
    assert sum(shares) / len(shares) < 0.08
    assert max(shares) < 0.12


def test_shares_are_near_what_was_asked_for():
    sides = split_samples(patients(4000), [], settings())
    assert len(sides["test"]) / 4000 == pytest.approx(0.2, abs=0.02)
    assert len(sides["val"]) / 4000 == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize("how", DRAWN)
def test_another_seed_splits_otherwise(how):
    first, second = (split_samples(patients(50), [], settings(seed=seed, **DRAWN[how])) for seed in (0, 1))
    assert first != second


@pytest.mark.parametrize("stratify", [False, True])
@given(st.lists(st.integers(3, 9), min_size=1, max_size=6), st.integers(0, 1000))
def test_each_side_shows_every_class_that_three_units_show(stratify, shown, seed):
    kinds = [kind for kind, times in enumerate(shown) for _ in range(times)]
    rows = [[90, *(10 * (kind == own) for own in range(len(shown)))] for kind in kinds]
    samples = [sample(f"s{i}", f"g{i}", row) for i, row in enumerate(rows)]
    own = side_of(split_samples(samples, [], settings(seed=seed, stratify=stratify)))
    for kind in range(len(shown)):
        assert {own[f"s{i}"] for i, each in enumerate(kinds) if each == kind} == set(SIDES)


@given(st.integers(0, 10_000))
def test_a_class_is_not_given_to_a_side_by_taking_another_from_it(seed):
    rows = [[90, 5, 5], [90, 5, 0], [90, 5, 0], [90, 0, 5], [90, 0, 5], [90, 5, 5]]
    samples = [sample(f"s{i}", f"g{i}", row) for i, row in enumerate(rows)]
    own = side_of(split_samples(samples, [], settings(seed=seed)))
    for c in (1, 2):
        assert {own[f"s{i}"] for i, row in enumerate(rows) if row[c]} == set(SIDES)


@given(st.integers(0, 1000))
def test_each_side_shows_foreground_where_classes_are_rare(seed):
    rows = [[90, 10, 0, 0], [90, 0, 10, 0], [90, 0, 0, 10], *[[100, 0, 0, 0]] * 9]
    sides = split_samples([sample(f"s{i}", f"g{i}", row) for i, row in enumerate(rows)], [], settings(seed=seed))
    assert all({"s0", "s1", "s2"} & set(sides[side]) for side in SIDES)


@given(st.lists(st.integers(20, 60), min_size=1, max_size=5), st.integers(0, 1000))
def test_stratified_sides_get_the_exact_share_of_every_stratum(sizes, seed):
    stratum_of = {}
    for kind, times in enumerate(sizes):
        stratum_of |= {f"{kind}-{i}": kind for i in range(times)}
    samples = [
        sample(name, name, [60, *(40 * (own == kind) for own in range(len(sizes)))])
        for name, kind in stratum_of.items()
    ]
    sides = split_samples(samples, [], settings(seed=seed, stratify=True))
    taken = {side: Counter(stratum_of[name] for name in sides[side]) for side in SIDES}
    for kind, times in enumerate(sizes):
        assert abs(taken["test"][kind] - 0.2 * times) < 1
        left = times - taken["test"][kind]
        assert abs(taken["val"][kind] - 0.15 / 0.8 * left) < 1


@given(st.integers(0, 1000))
def test_stratified_sides_have_like_shares_of_foreground(seed):
    areas = [0.005, 0.02, 0.06, 0.2, 0.6]
    samples = [
        sample(f"{area}-{i}", f"{area}-{i}", [10_000 - area * 10_000, area * 10_000]) | {"shape": [100, 100]}
        for area in areas
        for i in range(20)
    ]
    table = split_samples(samples, [], settings(seed=seed, stratify=True))
    for area in areas:
        assert sum(name.startswith(f"{area}-") for name in table["test"]) == 4


@pytest.mark.parametrize("stratify", [False, True])
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(30, 80))
def test_each_sample_is_measured_in_exactly_one_fold(stratify, seed, folds, number):
    samples = patients(number)
    parts = []
    for fold in range(folds):
        try:
            parts.append(split_samples(samples, [], settings(seed=seed, folds=folds, fold=fold, stratify=stratify)))
        except SegError as error:
            assert not stratify and "is empty" in str(error)  # noqa: PT017, PT018
    tested = [name for part in parts for name in part["test"]]
    assert sorted(tested) == sorted(entry["id"] for entry in samples)
    assert all(part["val"] and part["train"] for part in parts)
    if stratify:
        lengths = [len(part["test"]) for part in parts]
        assert max(lengths) - min(lengths) <= 1


def test_the_validation_share_of_a_fold_is_of_all_that_is_not_measured():
    part = split_samples(patients(2000), [], settings(folds=5, val=0.25))
    assert len(part["val"]) / (len(part["val"]) + len(part["train"])) == pytest.approx(0.25, abs=0.03)


def test_near_duplicates_join_groups_transitively():
    samples = index({"a": 2, "b": 2, "c": 2, **{f"p{i}": 1 for i in range(12)}})
    clusters = [["c-1", "b-0"], ["a-0", "b-1"]]
    chain = {f"{group}-{i}" for group in "abc" for i in range(2)}
    held = set()
    for seed in range(40):
        sides = split_samples(samples, clusters, settings(seed=seed))
        [own] = [side for side in SIDES if chain & set(sides[side])]
        assert chain <= set(sides[own])
        held.add(own)
    assert held == set(SIDES)


def test_too_few_groups_are_refused():
    with pytest.raises(SegError, match="4 samples in 2 groups cannot be split into train, val, test"):
        split_samples(index({"a": 2, "b": 2}), [], settings())
    with pytest.raises(SegError, match="4 samples in 2 groups"):
        split_samples(index({"a": 1, "b": 1, "c": 1, "d": 1}), [["a-0", "b-0"], ["d-0", "c-0"]], settings())
    with pytest.raises(SegError, match="1 samples in 1 groups cannot be split into train, val: at least 2"):
        split_samples(official(train=1, test=5), [], settings())


def test_folds_that_cannot_be_filled_are_refused():
    told = set()
    for seed in range(60):
        for fold in range(3):
            try:
                split_samples(patients(4), [], settings(seed=seed, folds=3, fold=fold))
            except SegError as error:
                told.add("empty" if "is empty; take fewer folds" in str(error) else str(error).partition(" takes ")[2])
    assert "empty" in told
    assert any(message.startswith("3 of 4 groups and leaves too few to train and validate") for message in told)
    with pytest.raises(SegError, match=r"split\.fold 6 of 9 is empty"):
        split_samples(patients(5), [], settings(folds=9, fold=6, stratify=True))


@given(st.integers(3, 6), st.integers(0, 200), st.sampled_from(list(DRAWN)))
def test_a_handful_of_groups_is_split_or_refused_in_words(number, seed, how):
    try:
        sides = split_samples(patients(number), [], settings(seed=seed, **DRAWN[how]))
    except SegError as error:
        assert str(error).startswith("split.fold")  # noqa: PT017
    else:
        assert all(sides.values())


@pytest.mark.parametrize(("val", "test"), [(0.05, 0.9), (0.9, 0.05), (0.001, 0.001), (0.49, 0.5)])
@pytest.mark.parametrize("stratify", [False, True])
def test_no_share_empties_a_side(val, test, stratify):
    for seed in range(20):
        assert all(split_samples(patients(5), [], settings(val=val, test=test, seed=seed, stratify=stratify)).values())


def test_a_side_without_foreground_is_refused():
    with pytest.raises(SegError, match="no mask of the side train and val and test shows a foreground class"):
        split_samples(patients(50, pixels=(100, 0)), [], settings())


def test_balance_tells_of_each_side_and_class():
    samples = [
        sample("a", "g", (60, 40, 0)),
        sample("b", "g", (100, 0, 0)),
        sample("c", "h", (80, 10, 10)),
        sample("d", "i", (100, 0, 0)),
    ]
    table = balance({"train": ["a", "b"], "val": ["c"], "test": ["d"]}, samples, ["background", "one", "two"])
    assert table["train"] == {
        "samples": 2,
        "groups": 1,
        "background": {"share": 0.8, "samples": 2},
        "one": {"share": 0.2, "samples": 1},
        "two": {"share": 0.0, "samples": 0},
    }
    assert table["val"]["two"] == {"share": 0.1, "samples": 1}


def test_sides_are_read_without_what_stands_beside_them(tmp_path):
    sides = split_samples(patients(9), [], settings())
    (tmp_path / "split.json").write_text(json.dumps({**sides, "summary": {"leaks": []}}))
    assert read_split(tmp_path / "split.json") == sides
