import numpy as np
import pytest

from seglib.report.charts import SERIES
from seglib.report.plots import DOTS, calibration, calibration_error, dice_by_size, dice_histogram, learning_curves
from seglib.report.results import Bin, read_results


def test_learning_curves_show_the_best_epoch(write):
    loss, dice, rate = learning_curves(write())
    assert [series.name for series in loss.series] == ["training", "validation"]
    assert [guide.text for guide in dice.guides] == ["epoch 36"]
    assert dice.frame.y.marks[-1] == 1
    assert rate.summary.startswith("learning rate: 0.0002")


def test_values_that_are_not_finite_are_left_out_of_curves(write, inside):
    results = write()
    file = inside / "reports/train/plots/loss.tsv"
    file.write_text("epoch\ttrain\tval\n1\t0.5\tnan\n2\t0.4\t\n")
    assert read_results().curves["loss.train"] == [(1, 0.5), (2, 0.4)]
    assert [series.name for series in learning_curves(read_results())[0].series] == ["training"]
    assert len(results.curves["loss.val"]) == 40


def test_a_training_of_one_epoch_is_a_point(write, inside):
    write()
    for name, header in {"loss": "train\tval", "dice": "val", "lr": "lr"}.items():
        values = "\t".join("0.5" for _ in header.split())
        (inside / f"reports/train/plots/{name}.tsv").write_text(f"epoch\t{header}\n1\t{values}\n")
    assert [len(series.dots) for series in learning_curves(read_results())[0].series] == [1, 1]


def test_the_histogram_counts_every_case_with_a_dice(write):
    results = write()
    chart = dice_histogram(results)
    dice = results.cases.mean_of_cases("dice")
    known = dice[~np.isnan(dice)]
    assert chart
    numbers = [int(bar.title.rsplit(": ", 1)[1].split()[0]) for bar in chart.series[0].bars]
    assert sum(numbers) == known.size < len(results.cases.ids)
    assert f"half of them reach {np.median(known):.3f}" in chart.summary
    assert "1 case without any object has no Dice" in chart.reading


def test_size_is_compared_by_thirds(write):
    results = write()
    sizes, dice = (results.cases.columns[name].ravel() for name in ("truth", "dice"))
    shown = sizes > 0
    order = np.argsort(sizes[shown])
    third = dice[shown][order][: (shown.sum() + 2) // 3].mean()
    chart = dice_by_size(results)
    assert chart
    assert len(chart.series[0].dots) == shown.sum()
    assert f"the mean Dice is {third:.3f}" in chart.summary


def test_few_objects_tell_nothing_of_size(write):
    chart = dice_by_size(write(ids=("a", "b")))
    assert chart
    assert "2 cases, too few" in chart.summary


def test_of_many_classes_the_most_frequent_are_drawn(write):
    results = write(classes=tuple(f"class {c}" for c in range(9)))
    largest = sorted(results.classes, key=lambda found: -found.frequency)[:SERIES]
    for chart in (dice_by_size(results), calibration(results)):
        assert chart
        assert {series.name for series in chart.series} == {found.name for found in largest}
        assert f"the {SERIES} most frequent classes of 9" in chart.reading


def test_a_scatter_of_many_cases_keeps_the_worst_and_the_best(write):
    results = write(ids=tuple(map(str, range(DOTS + 500))), drawn=0, thumbnails=False)
    chart = dice_by_size(results)
    assert chart
    dots = chart.series[0].dots
    assert len(dots) == DOTS
    dice = results.cases.columns["dice"]
    for row in (np.nanargmin(np.where(results.cases.columns["truth"] > 0, dice, np.nan)), np.nanargmax(dice)):
        assert any(dot.title.startswith(f"{results.cases.ids[row]}: ") for dot in dots)


def test_the_calibration_error_by_hand():
    """(100 · 0.1 + 300 · 0.2) / 400."""
    assert calibration_error([Bin("a", 0.2, 0.1, 100), Bin("a", 0.9, 0.7, 300)]) == pytest.approx(0.175)
    assert calibration_error([Bin("a", 0.25, 0.25, 7)]) == 0


def test_nothing_is_drawn_of_nothing(write):
    results = write(valued=False)
    assert (dice_histogram(results), dice_by_size(results), calibration(results)) == (None, None, None)
