import json
import math

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from seglib.effects import CONFOUNDED_NOTE
from seglib.errors import SegError
from seglib.summary import FOLDS_NOTE, Run, statistics, summarise
from seglib.summary_tables import as_json, as_markdown, as_text

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12)


def run(name, dice: float | None = 0.5, state="finished", inputs=None, **params):
    settings = {"train.lr": 0.1, "train.seed": 0, "split.folds": 0, "split.fold": 0, "split.seed": 2}
    settings |= {key.replace("__", "."): value for key, value in params.items()}
    return Run(name, state, settings, {} if dice is None else {"dice": dice, "iou": dice / 2}, inputs or {})


def seeds(count, start=0, **params):
    return [run(f"run{i}", 0.5 + i / 100, train__seed=i, **params) for i in range(start, start + count)]


def names(group):
    return [run.name for run, _ in group.runs]


def test_three_values_by_hand():
    """Mean 2, deviation 1; the 0.975 quantile of t with 2 degrees of freedom is 4.3027 (any table of it)."""
    found = statistics([1.0, 2.0, 3.0])
    assert (found.n, found.mean, found.sd, found.least, found.greatest) == (3, 2.0, 1.0, 1.0, 3.0)
    assert found.interval == pytest.approx((2 - 4.3027 / math.sqrt(3), 2 + 4.3027 / math.sqrt(3)), abs=1e-4)


@given(VALUES)
def test_the_interval_is_scipys(values):
    found = statistics(values)
    assert found.interval is not None
    spread = scipy.stats.sem(values)
    if spread > 0:
        expected = scipy.stats.t.interval(0.95, len(values) - 1, loc=found.mean, scale=spread)
        assert found.interval == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert found.interval == pytest.approx((found.mean, found.mean))


def test_one_run_has_neither_deviation_nor_interval():
    summary = summarise([run("only")], "dice")
    found = summary.groups[0].statistics
    assert (found.n, found.sd, found.interval) == (1, None, None)
    assert "none of one run" in as_text(summary)
    assert json.loads(as_json(summary))["groups"][0]["interval"] is None


def test_runs_that_differ_in_seeds_and_folds_alone_are_one_group():
    varied = [
        run("a", data__synthetic__seed=0),
        run("b", data__synthetic__seed=1),
        run("c", data__synthetic__seed=0, train__seed=1),
        run("d", data__synthetic__seed=0, split__seed=5),
    ]
    groups = summarise(varied, "dice").groups
    assert [names(group) for group in groups] == [["a", "b", "c", "d"]]
    assert groups[0].varied == {"train.seed": [0, 1], "split.seed": [2, 5], "data.synthetic.seed": [0, 1]}
    assert groups[0].differing == {}


def test_groups_are_told_apart_by_what_differs_and_the_best_comes_first():
    slow = [run(f"slow{i}", 0.9, train__lr=0.01, train__seed=i, augment=[{"Flip": 1}]) for i in range(2)]
    fast = [run(f"fast{i}", 0.4, train__lr=1.0, train__seed=i, augment=[{"Flip": 1}]) for i in range(2)]
    whole = run("whole", 0.7, train__lr=1, train__seed=7, augment=[{"Flip": 1}])
    groups = summarise([*fast, *slow, whole], "dice").groups
    assert [names(group) for group in groups] == [["slow0", "slow1"], ["fast0", "fast1", "whole"]]
    assert [group.differing for group in groups] == [{"train.lr": 0.01}, {"train.lr": 1.0}]


def test_a_seed_elsewhere_and_the_number_of_folds_are_no_seeds():
    assert len(summarise([run("a", model__seed=0), run("b", model__seed=1)], "dice").groups) == 2
    assert len(summarise([run("a", split__folds=3), run("b", split__folds=5)], "dice").groups) == 2


def test_other_code_is_another_group():
    first = run("a", inputs={"seglib/loss.py": "111", "seglib/models/a.py": "1"}, train__seed=0)
    second = run("b", inputs={"seglib/loss.py": "222", "seglib/models/b.py": "2"}, train__seed=1)
    groups = summarise([first, second], "dice").groups
    assert [group.differing for group in groups] == [{"seglib/loss.py": "111"}, {"seglib/loss.py": "222"}]


def test_options_of_one_plug_in_do_not_tell_the_other_apart():
    unet = [run(f"unet{width}", model__name="unet", model__unet__width=width) for width in (8, 16)]
    other = run("other", model__name="segresnet", model__segresnet__blocks=2)
    groups = summarise([*unet, other], "dice").groups
    assert [group.differing for group in groups] == [
        {"model.name": "unet", "model.unet.width": 8},
        {"model.name": "unet", "model.unet.width": 16},
        {"model.name": "segresnet"},
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "high", True])
def test_what_has_no_finite_value_is_named_and_not_counted(value):
    bad = Run("bad", "finished", run("x", train__seed=9).params, {"iou": 0.1} if value is None else {"dice": value})
    summary = summarise([*seeds(3), bad], "dice")
    assert names(summary.groups[0]) == ["run0", "run1", "run2"]
    (left_out,) = summary.left_out
    assert (left_out.name, left_out.differing) == ("bad", {"train.seed": 9})
    assert left_out.reason == (f"dice is {value}" if type(value) is float else "no dice")
    for text in (as_text(summary), as_markdown(summary), as_json(summary)):
        assert "bad" in text
    assert json.loads(as_json(summary))["left_out"][0]["parameters"] == {"train.seed": 9}


@pytest.mark.parametrize("state", ["failed", "queued", "running"])
def test_an_unfinished_run_is_named_whatever_it_holds(state):
    summary = summarise([*seeds(2), run("early", 0.1, state, train__seed=5)], "dice")
    assert summary.groups[0].statistics.n == 2
    assert f"left out: early (train.seed=5): {state}" in as_text(summary)


def test_a_repeated_run_counts_once():
    summary = summarise([run("first", 0.5), run("again", 0.75), *seeds(1, start=1)], "dice")
    assert names(summary.groups[0]) == ["first", "run1"]
    assert summary.left_out[0].reason == "repeats first, with dice 0.7500 and 0.5000"


def test_an_unknown_metric_is_answered_with_the_nearest():
    with pytest.raises(SegError, match="no metric 'dise' in the experiments; did you mean 'dice'"):
        summarise(seeds(2), "dise")
    assert summarise(seeds(2), "iou").groups[0].statistics.mean == pytest.approx(0.2525)


def test_nothing_finished_is_said():
    assert as_text(summarise([run("a", None, "queued")], "dice")).splitlines() == [
        "dice: 0 experiments in 0 groups",
        "left out: a (–): queued",
    ]


def fold(number, seed=0, dice=0.5, **params):
    return run(f"fold{number}-{seed}", dice, split__folds=3, split__fold=number, train__seed=seed, **params)


def test_missing_folds_are_named_for_each_cross_validation():
    runs = [fold(0), fold(2), *(fold(i, seed=1) for i in range(3)), fold(1, seed=0, dice=math.nan)]
    summary = summarise(runs, "dice")
    assert summary.groups[0].incomplete() == ["2 of 3 folds (train.seed=0, split.seed=2): 1 missing"]
    assert "incomplete" in as_text(summary)
    assert summarise([*runs[:5], fold(1)], "dice").groups[0].incomplete() == []


def test_the_note_on_folds_is_where_folds_are():
    folds, plain = summarise([fold(i) for i in range(3)], "dice"), summarise(seeds(3), "dice")
    for form in (as_text, as_markdown, as_json):
        assert FOLDS_NOTE in form(folds)
        assert FOLDS_NOTE not in form(plain)


def test_the_tables_hold_the_figures():
    summary = summarise([run("a", 0.5), run("b", 0.7, train__seed=1), run("c", 0.9, train__lr=1e-5)], "dice")
    assert as_text(summary).splitlines()[2:4] == [
        "1  0.9000  –       0.9000  0.9000    none of one run            –             train.lr=1e-05",
        "2  0.6000  0.1414  0.5000  0.7000    -0.6706 to 1.8706          2 train.seed  train.lr=0.1",
    ]
    assert "| 2 | 0.6000 | 0.1414 | 0.5000 | 0.7000 | -0.6706 to 1.8706 | 2 train.seed | train.lr=0.1 |" in as_markdown(
        summary
    )
    first, second = json.loads(as_json(summary))["groups"]
    assert (first["n"], first["sd"], second["parameters"]) == (1, None, {"train.lr": 0.1})
    assert [(entry["name"], entry["value"]) for entry in second["runs"]] == [("a", 0.5), ("b", 0.7)]


def grid(*dices):
    """Dice at two rates and two sizes, two seeds each that part by 0.02."""
    settings = [{"train__lr": lr, "size": size} for lr in (0.1, 0.2) for size in (128, 256)]
    return [
        run(f"run{i}-{seed}", dice + 0.02 * seed - 0.01, train__seed=seed, **setting)
        for i, (dice, setting) in enumerate(zip(dices, settings, strict=False))
        for seed in (0, 1)
    ]


def test_the_setting_that_moved_the_metric_most_comes_first():
    """lr: (0.5 + 0.6) / 2 and (0.8 + 0.75) / 2; size: (0.5 + 0.8) / 2 and (0.6 + 0.75) / 2."""
    summary = summarise(grid(0.5, 0.6, 0.8, 0.75), "dice")
    assert as_text(summary).splitlines()[6:] == [
        "",
        "which setting moved it: the mean of the groups that have each value, greatest first",
        "range   setting   mean by value (groups)",
        "0.2250  train.lr  0.2: 0.7750 (2), 0.1: 0.5500 (2)",
        "0.0250  size      256: 0.6750 (2), 128: 0.6500 (2)",
    ]
    assert "| ---: | --- | --- |\n| 0.2250 | train.lr | 0.2: 0.7750 (2), 0.1: 0.5500 (2) |" in as_markdown(summary)
    first = json.loads(as_json(summary))["effects"][0]
    assert (first["setting"], first["range"]) == ("train.lr", pytest.approx(0.225))
    assert first["levels"][1] == {"value": 0.1, "mean": pytest.approx(0.55), "groups": 2}


def test_settings_that_were_changed_together_are_said_to_be_confounded():
    assert CONFOUNDED_NOTE in as_text(summarise(grid(0.5, 0.6, 0.8), "dice"))
    for form in (as_text, as_markdown, as_json):
        assert CONFOUNDED_NOTE not in form(summarise(grid(0.5, 0.6, 0.8, 0.7), "dice"))


def test_one_group_has_no_effects():
    summary = summarise(seeds(3), "dice")
    assert summary.effects == summary.notes == []
    assert "which setting" not in as_text(summary) + as_markdown(summary)
