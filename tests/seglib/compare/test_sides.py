from typing import Any

import numpy as np
import pytest

from seglib.compare.revisions import Revision
from seglib.compare.sides import Kind, RecipeChange, check_conventions, check_seeds, check_truth, notes, recipe_changes
from seglib.errors import SegError
from seglib.summary import Run
from tests.made_up import made_up

CODE = {"seglib/metrics.py": "aaaaaaa", "/data/own": "bbbbbbb"}


def revision(name="main", metrics=None, inputs=None, outdated=(), table=None, **params: Any) -> Revision:
    settings = {"train.lr": 0.1, "train.seed": 0, "versions.yaml:numpy": "2"}
    settings |= {key.replace("versions__", "versions.yaml:").replace("__", "."): value for key, value in params.items()}
    run = Run(name, "finished", settings, {"conventions": 1, "tolerance": 2.0, **(metrics or {})}, inputs or CODE)
    return Revision(name, run, table or made_up(0), outdated, {})


def seeds(*numbers: int, **params) -> list[Revision]:
    return [revision(f"s{number}", train__seed=number, **params) for number in numbers]


def test_seeds_of_one_recipe_are_a_side():
    check_seeds(seeds(0, 1, 2))
    check_seeds([revision()])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (revision("b", train__seed=1, train__lr=0.2), "main and b differ in more than their seeds: train.lr"),
        (revision("b", train__seed=1, loss__name="ce"), "main and b differ in more than their seeds: loss.name"),
        (
            revision("b", train__seed=1, inputs={**CODE, "seglib/metrics.py": "ccccccc"}),
            "main and b differ in more than their seeds: seglib/metrics.py",
        ),
        (revision("b"), "main and b are one run, not two seeds: train.seed 0"),
    ],
)
def test_other_runs_are_no_side(other, told):
    with pytest.raises(SegError) as refused:
        check_seeds([revision(), other])
    assert str(refused.value) == told


def test_all_runs_follow_the_same_conventions():
    check_conventions([revision("a"), revision("b")], "dice")
    with pytest.raises(SegError, match="different conventions: version 1 at a, 2 at b; evaluate all by the same code"):
        check_conventions([revision("a"), revision("b", {"conventions": 2})], "dice")


def test_a_figure_that_is_measured_otherwise_cannot_decide():
    wider = [revision("a"), revision("b", {"tolerance": 20.0})]
    in_mm = [revision("a", {"distances_in_mm": 0}), revision("b", {"distances_in_mm": 1})]
    check_conventions(wider, "hd95")
    check_conventions(in_mm, "dice")
    with pytest.raises(SegError, match="tolerance differs between the sides, so nsd cannot decide"):
        check_conventions(wider, "nsd")
    with pytest.raises(SegError, match="distances_in_mm differs between the sides, so hd95 cannot decide"):
        check_conventions(in_mm, "hd95")


def test_all_runs_have_the_same_truth():
    whole = made_up(0)
    backwards = type(whole)(
        whole.ids[::-1], whole.groups[::-1], whole.classes, {key: value[::-1] for key, value in whole.columns.items()}
    )
    check_truth([revision(), revision(table=backwards)])
    pixels = whole.columns["truth"] + np.eye(len(whole.ids))[:, :1]
    other = type(whole)(whole.ids, whole.groups, whole.classes, {**whole.columns, "truth": pixels})
    with pytest.raises(SegError, match="the truth of 1 cases has other pixels in b than in main: case00;"):
        check_truth([revision(), revision("b", table=other)])


def test_changes_are_those_of_parameters_versions_code_and_data():
    base = seeds(0, 1, 2)
    head = seeds(
        0, 1, 5, train__lr=0.2, model__head="softmax", inputs={"seglib/metrics.py": "fffffff", "/data/own": "c"}
    )
    head += [revision("s6", train__seed=6, versions__numpy="3")]
    found = recipe_changes(base, head)
    assert RecipeChange(Kind.PARAMETER, "train.lr", (0.1,), (0.2, 0.1)) in found
    assert RecipeChange(Kind.PARAMETER, "train.seed", (0, 1, 2), (0, 1, 5, 6)) in found
    assert RecipeChange(Kind.PARAMETER, "model.head", (), ("softmax",)) in found
    assert RecipeChange(Kind.VERSION, "numpy", ("2",), ("2", "3")) in found
    assert RecipeChange(Kind.CODE, "seglib/metrics.py", ("aaaaaaa",), ("fffffff", "aaaaaaa")) in found
    assert RecipeChange(Kind.DATA, "own", ("bbbbbbb",), ("c", "bbbbbbb")) in found


def test_changes_stand_in_one_order_and_tell_no_places():
    inputs = {**CODE, "seglib/a.py": "1111111"}
    base = [revision(data__url="https://me:secret@host/a.zip?token=1", model__weights="/home/me/a.pth")]
    head = [revision(data__url="https://host/b.zip#x", model__weights="/home/you/a.pth", b__c=[1], inputs=inputs)]
    shown = [(change.kind, change.name, change.base, change.head) for change in recipe_changes(base, head)]
    assert shown == [
        ("parameter", "b.c", (), ([1],)),
        ("parameter", "data.url", ("https://host/a.zip",), ("https://host/b.zip",)),
        ("parameter", "model.weights", ("a.pth",), ("a.pth",)),
        ("code", "seglib/a.py", (), ("1111111",)),
    ]


def test_truth_values_are_no_numbers():
    base, head = (revision("b", train__ema=number, train__steps=steps) for number, steps in ((0, [1]), (False, [True])))
    found = {change.name: (change.base, change.head) for change in recipe_changes([base], [head])}
    assert found == {"train.ema": ((0,), (False,)), "train.steps": (([1],), ([True],))}
    assert not recipe_changes([revision(train__lr=1)], [revision(train__lr=1.0)])
    with pytest.raises(SegError, match=r"differ in more than their seeds: train\.ema, train\.steps"):
        check_seeds([base, head])


def test_the_same_recipe_has_no_changes():
    assert recipe_changes(seeds(0, 1), seeds(0, 1)) == []
    assert notes(seeds(0), seeds(1)) == []


def test_what_makes_figures_doubtful_is_noted():
    base = [revision("a")]
    head = [revision("b", {"tolerance": 3.0}, outdated=("train.lr", "seglib/engine.py"))]
    outdated, tolerance = notes(base, head)
    assert outdated.startswith("b is out of date: train.lr, seglib/engine.py changed after its figures were computed")
    assert tolerance == "tolerance differs, so nsd of the two sides cannot be compared"
