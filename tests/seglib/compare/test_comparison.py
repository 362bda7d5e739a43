import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seglib.compare.comparison import Rule, Side, Verdict, compare, judge
from seglib.errors import SegError
from seglib.measures import FIGURES
from seglib.statistics import Interval
from tests.case_tables import table

RULE = Rule(metric="dice", max_drop=0.01, confidence=0.95)
DICE = np.linspace(0.3, 0.9, 12)
NAN = float("nan")


def compared(base, head, rule=RULE, permutations=500):
    runs = [tuple(each if isinstance(each, list) else [each]) for each in (base, head)]
    return compare(Side("old", runs[0]), Side("new", runs[1]), rule, permutations, 0)


def change(comparison, name):
    return next(each for each in comparison.changes if each.measure.name == name)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.011, 0.02, Verdict.FAIL),
        (0.01, 0.02, Verdict.WARN),
        (-0.02, 0.011, Verdict.WARN),
        (-0.02, 0.01, Verdict.PASS),
        (0.1 + 0.2 - 0.29, 0.1 + 0.2 - 0.29, Verdict.PASS),
        (None, None, Verdict.WARN),
    ],
)
def test_the_verdict_is_where_the_interval_lies(low, high, expected):
    assert judge(Interval(0.0, low, high), 0.01) is expected


def test_the_same_results_pass_with_no_difference():
    found = compared(table(DICE), table(DICE), Rule(metric="dice", max_drop=0.0, confidence=0.95))
    assert found.verdict is Verdict.PASS
    assert [each.measure for each in found.changes] == list(FIGURES)
    for each in found.changes:
        assert each.difference == Interval(0.0, 0.0, 0.0)
        assert (each.p, each.better, each.worse) == (1.0, 0.0, 0.0)
    assert (found.n, found.n_groups, found.runs) == (12, 12, (1, 1))
    assert found.most_improved(5) == found.most_worsened(5) == ()


def test_three_cases_by_hand():
    """Dice 0.5, 0.6, 0.7 against 0.3, 0.8, 0.7: one better, one worse, one unchanged."""
    found = compared(table([0.5, 0.6, 0.7]), table([0.3, 0.8, 0.7]))
    primary = found.primary
    assert (primary.base, primary.head) == pytest.approx((0.6, 0.6))
    assert primary.difference.value == pytest.approx(0)
    assert (primary.better, primary.worse) == pytest.approx((1 / 3, 1 / 3))
    assert primary.p == 1.0
    (best,), (worst,) = found.most_improved(5), found.most_worsened(5)
    assert (best.id, best.base, best.head, best.gain) == ("case01", 0.6, 0.8, pytest.approx(0.2))
    assert (worst.id, worst.group, worst.gain) == ("case00", "case00", pytest.approx(-0.2))
    assert found.verdict is Verdict.WARN
    assert "holds the 0.01 that is accepted: these cases cannot tell" in found.reason


@pytest.mark.parametrize(
    ("lost", "verdict", "reason"),
    [(0.05, Verdict.FAIL, "lies above"), (0.01, Verdict.PASS, "does not exceed"), (-0.05, Verdict.PASS, "exceed")],
)
def test_a_loss_in_every_case_is_judged_by_its_size(lost, verdict, reason):
    found = compared(table(DICE), table(DICE - lost))
    assert found.verdict is verdict
    assert (found.drop.value, found.drop.low, found.drop.high) == pytest.approx((lost, lost, lost))
    assert reason in found.reason
    assert "0.0500" in found.reason or lost == 0.01
    assert found.primary.p < 0.01


def test_of_a_distance_more_is_worse():
    rule = Rule(metric="hd95", max_drop=2.0, confidence=0.95)
    found = compared(table(DICE, hd95=DICE * 10), table(DICE, hd95=DICE * 10 + 5), rule)
    assert found.verdict is Verdict.FAIL
    assert found.drop.value == pytest.approx(5)
    assert (found.primary.difference.value, found.primary.worse) == pytest.approx((5, 1))
    assert found.most_worsened(1)[0].gain == pytest.approx(-5)


def test_a_volume_difference_is_better_nearer_to_0():
    rule = Rule(metric="volume_difference", max_drop=0.05, confidence=0.95)
    found = compared(table(DICE, volume_difference=DICE * 0 - 0.3), table(DICE, volume_difference=DICE * 0 + 0.1), rule)
    assert found.drop.value == pytest.approx(-0.2)
    assert (found.primary.difference.value, found.primary.better) == pytest.approx((0.4, 1))
    assert found.verdict is Verdict.PASS


def test_pooled_figures_weigh_cases_by_their_pixels():
    """Dice 2·90/200 and 2·5/20 pooled are 190/220; head finds nothing of the small one: 180/220."""
    sizes = {"truth": [100, 10], "guess": [100, 10]}
    found = compared(table([0.9, 0.5], both=[90, 5], **sizes), table([0.9, 0.0], both=[90, 0], **sizes))
    pooled = change(found, "dice_pooled")
    assert (pooled.base, pooled.head) == pytest.approx((190 / 220, 180 / 220))
    assert change(found, "iou_pooled").base == pytest.approx(95 / 125)


def test_groups_not_cases_are_drawn():
    """Ten cases of two groups tell hardly more than two cases."""
    draw = np.random.default_rng(0)
    base, head = draw.random(10), draw.random(10)
    alone = compared(table(base), table(head))
    together = compared(table(base, groups=["a", "b"] * 5), table(head, groups=["a", "b"] * 5))
    assert together.n_groups == 2
    assert together.primary.p in (0.5, 1.0)
    assert alone.primary.p not in (0.5, 1.0)


@pytest.mark.parametrize("drop", [0.5, -0.1])
def test_one_group_gives_no_interval_and_decides_nothing(drop):
    found = compared(table(DICE, groups=["a"] * 12), table(DICE - drop, groups=["a"] * 12))
    assert found.verdict is Verdict.WARN
    assert found.reason == (
        f"no class has a value in two groups, so the drop in dice, {drop:.4f}, has no interval; choose more test groups"
    )


def with_rare(values, *rare):
    """A table of classes `common`, and `rare` that only the first cases show."""
    return table(np.stack([values, [*rare, *[NAN] * (12 - len(rare))]], 1), classes=("common", "rare"))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_class_in_few_groups_decides_nothing_but_lets_no_great_loss_pass(groups):
    found = compared(with_rare(DICE, *[0.8] * groups), with_rare(DICE, *[0.0] * groups))
    assert (found.drop, found.whole_drop) == (Interval(0.0, 0.0, 0.0), pytest.approx(0.4))
    assert (found.verdict, found.undecided) == (Verdict.WARN, ("rare",))
    assert found.reason == (
        "the 95 % interval of the drop in dice, 0.0000 to 0.0000, does not exceed the 0.01 that is accepted; left out, "
        "with a value in fewer than 3 groups: rare; with them the drop is 0.4000"
    )


def test_a_class_in_few_groups_hides_neither_a_loss_of_the_others_nor_their_pass():
    assert compared(with_rare(DICE, 0.8), with_rare(DICE - 0.1, 0.8)).verdict is Verdict.FAIL
    assert compared(with_rare(DICE, 0.8), with_rare(DICE, 0.79)).verdict is Verdict.PASS


def test_a_class_in_three_groups_decides():
    found = compared(with_rare(DICE, 0.8, 0.8, 0.8), with_rare(DICE, 0.0, 0.0, 0.0))
    assert (found.verdict, found.undecided, found.drop.value) == (Verdict.FAIL, (), pytest.approx(0.4))


def test_two_groups_decide_where_there_are_no_more():
    groups = ["a", "b"] * 6
    same = compared(table(DICE, groups=groups), table(DICE, groups=groups))
    assert (same.verdict, same.undecided) == (Verdict.PASS, ())


def test_one_stray_object_of_a_class_that_nothing_shows_fails_nothing():
    assert compared(with_rare(DICE, NAN), with_rare(DICE, 0.0)).verdict is Verdict.WARN
    assert compared(with_rare(DICE, 0.0), with_rare(DICE, NAN)).verdict is Verdict.PASS


def test_a_case_without_a_value_on_one_side_is_worse_for_what_was_invented():
    """Base rightly predicts nothing in the last case; head sees something there, so its mean is 0.4."""
    found = compared(table([0.5, 0.7, NAN]), table([0.5, 0.7, 0.0]))
    assert (found.primary.base, found.primary.head) == pytest.approx((0.6, 0.4))
    assert (found.primary.better, found.primary.worse) == pytest.approx((0, 1 / 3))
    (worst,) = found.most_worsened(5)
    assert (worst.id, worst.base, worst.head, worst.gain) == ("case02", None, 0.0, -1.0)
    back = compared(table([0.5, 0.7, 0.0]), table([0.5, 0.7, NAN])).most_improved(5)[0]
    assert (back.base, back.head, back.gain) == (0.0, None, 1.0)


def test_shares_of_what_is_predicted_have_no_value_where_an_object_is_missed():
    """Base misses the object of the last case, head finds most of it."""
    pixels = {"truth": [9, 9, 9], "both": [9, 9, 0], "guess": [9, 9, 0]}
    found = compared(
        table([1, 1, 0], **pixels), table([1, 1, 0.8], **pixels | {"both": [9, 9, 8], "guess": [9, 9, 10]})
    )
    precision = next(change for change in found.changes if change.measure.name == "precision_pooled")
    assert (precision.better, precision.worse) == (0, 0)


def test_of_a_distance_no_value_counts_as_0():
    rule = Rule(metric="hd95", max_drop=2.0, confidence=0.95)
    found = compared(table(DICE, hd95=[NAN, *DICE[1:]]), table(DICE, hd95=[90, *DICE[1:]]), rule)
    assert found.most_worsened(1)[0].gain == -90


def test_what_one_of_several_runs_invents_counts_in_its_share():
    base, head = seeds(3), seeds(4, 0.01)
    for run in (*base, *head[1:]):
        run.columns["dice"][0] = NAN
    head[0].columns["dice"][0] = 0
    (worst,) = compared(base, head).most_worsened(1)
    assert (worst.id, worst.base, worst.head, worst.gain) == ("case00", None, 0.75, -0.25)


def test_figures_without_a_value_are_left_out():
    found = compared(table(DICE, hd95=DICE * NAN), table(DICE))
    assert "hd95" not in [each.measure.name for each in found.changes]
    with pytest.raises(SegError, match="not every run has a case with a value of hd95"):
        compared(table(DICE, hd95=DICE * NAN), table(DICE), Rule(metric="hd95", max_drop=1.0, confidence=0.95))


def test_an_unknown_figure_is_answered_with_the_nearest():
    with pytest.raises(SegError, match=r"compare\.metric: no figure 'dise'; did you mean 'dice'"):
        compared(table(DICE), table(DICE), Rule(metric="dise", max_drop=0.01, confidence=0.95))


def test_the_order_of_cases_and_classes_is_immaterial():
    values = np.random.default_rng(0).random((6, 2))
    ids, classes = [f"case{i}" for i in range(6)], ("a", "b")
    base = table(values, ids, classes=classes)
    head = table(values[::-1, ::-1], ids[::-1], classes=classes[::-1])
    assert compared(base, head).primary.difference == Interval(0.0, 0.0, 0.0)


CASES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from("abcd")), min_size=2, max_size=8)


@given(CASES)
@settings(max_examples=20, deadline=None)
def test_exchanged_sides_reverse_the_signs(cases):
    base, head, groups = zip(*cases, strict=True)
    there, back = (table(each, groups=groups) for each in (base, head))
    one, other = compared(there, back, permutations=100), compared(back, there, permutations=100)
    for forward, backward in zip(one.changes, other.changes, strict=True):
        assert forward.difference.value == pytest.approx(-backward.difference.value)
        ahead, behind = forward.difference, backward.difference
        bounds = [bound for bound in (behind.high, behind.low) if bound is not None]
        assert [bound for bound in (ahead.low, ahead.high) if bound is not None] == pytest.approx([-b for b in bounds])
        assert (forward.p, forward.better) == pytest.approx((backward.p, backward.worse))
    assert [case.gain for case in one.cases] == pytest.approx([-case.gain for case in other.cases[::-1]])


def seeds(count, mean=0.0, spread=0.01):
    draw = np.random.default_rng(count)
    return [table(DICE + mean + spread * (i - (count - 1) / 2) + draw.normal(0, 0.001, 12)) for i in range(count)]


def test_one_run_a_side_speaks_of_two_models():
    assert compared(table(DICE), table(DICE)).subject.startswith("these two models; a verdict on the change itself")


def test_three_runs_a_side_speak_of_the_change():
    found = compared(seeds(3), seeds(4, -0.2))
    assert found.subject == "the change, over 3 runs of old and 4 of new"
    assert found.runs == (3, 4)
    assert (found.verdict, found.drop.value) == (Verdict.FAIL, pytest.approx(0.2, abs=0.002))
    assert found.primary.base == pytest.approx(DICE.mean(), abs=0.001)
    assert found.primary.p == pytest.approx(1 / 35)
    assert found.cases[0].gain == pytest.approx(-0.2, abs=0.003)


def test_a_loss_that_seeds_explain_does_not_fail():
    """Each pair of runs differs clearly; the runs of a side differ as much."""
    base, head = seeds(3, 0, 0.1), seeds(3, -0.06, 0.1)
    assert compared(base[0], head[0]).verdict is Verdict.FAIL
    assert compared(base, head).verdict is Verdict.WARN


@pytest.mark.parametrize(("base", "head"), [(1, 3), (2, 2), (3, 2), (0, 1)])
def test_runs_between_are_refused(base, head):
    message = rf"{base} runs of old and {head} of new are too few .* at least 3 runs of different seeds a side"
    with pytest.raises(SegError, match=message):
        compared(seeds(base), seeds(head))


def test_a_run_that_is_counted_twice_is_refused():
    runs = seeds(3)
    with pytest.raises(SegError, match="two runs of new have the same figures in every case"):
        compared(runs, [runs[0], runs[1], runs[0]])


def test_different_test_sets_are_refused_by_their_cases():
    ids = [f"x{i}" for i in range(12)]
    message = r"different test sets: only in new 8: x4, x5, x6, x7, x8 and 3 more; only in old 2: y1, y2; evaluate"
    with pytest.raises(SegError, match=message):
        compared(table(DICE[:6], [*ids[:4], "y1", "y2"]), table(DICE, ids))


def test_other_groups_and_classes_are_refused():
    groups = ["a", "b"] * 6
    with pytest.raises(SegError, match="1 cases belong to other groups in new than in old: case11; evaluate"):
        compared(table(DICE, groups=groups), table(DICE, groups=[*groups[:-1], "c"]))
    with pytest.raises(SegError, match="different classes: new has polyp; old has tumour; compare"):
        compared(table(DICE, classes=("tumour",)), table(DICE))
