import json
import math

import pytest

from seglib.paths import EXPORT_REPORT
from seglib.report.charts import HEIGHT
from seglib.report.exported import read_exported
from seglib.report.labels import around, covered
from seglib.report.speed_charts import speed_charts
from tests.export_reports import ALL, figures, write_export

PRUNED = ("pruned", *(f"pruned_{name}" for name in ALL))


@pytest.fixture
def charts(inside):
    """The charts of variants."""

    def draw(*variants: str):
        write_export(inside, variants)
        found = read_exported()
        assert found
        return speed_charts(found)

    return draw


def test_each_batch_has_a_chart_of_all_variants(charts):
    one, eight = charts(*ALL)
    assert [one.key, eight.key] == ["speed-1", "speed-8"]
    assert one.frame.y_label == "milliseconds for 1 image, median"
    assert eight.frame.y_label == "milliseconds for 8 images, median"
    assert one.frame.x_label == "Dice of the validation images"
    assert {label.text for label in one.labels} == {"torch", *ALL}
    assert one.summary.startswith("From the slowest to the fastest: torch: 62.0 ms, Dice 0.893; program: 60.0 ms")


def test_precisions_differ_by_shape_and_colour(charts):
    shown = {series.name: len(series.dots) for series in charts(*ALL)[0].series}
    assert shown == {"trained model": 1, "32 bits": 5, "16 bits": 2, "8 bits": 2}
    assert [series.name for series in charts("onnx")[0].series] == ["trained model", "32 bits"]


@pytest.mark.parametrize("variants", [("onnx",), ALL, (*ALL, *PRUNED)], ids=len)
def test_no_name_covers_another_or_a_point(charts, variants):
    for chart in charts(*variants):
        names = [covered(label) for label in chart.labels]
        points = [around(label.dot) for label in chart.labels]
        assert len(names) == len(variants) + 1
        for place, box in enumerate(names):
            assert not any(box.meets(other) for other in (*names[:place], *points))


def test_many_variants_make_it_higher(charts):
    few, many = charts("onnx")[0], charts(*ALL, *PRUNED)[0]
    assert few.frame.height == HEIGHT < many.frame.height


def test_the_limit_is_drawn_and_a_difference_of_rounding_looks_like_none(charts):
    chart = charts("onnx", "torchscript")[0]
    limit, dots = chart.guides[0].x1, [label.dot.x for label in chart.labels]
    assert chart.frame.x(0.8931 - 0.005) == limit < min(dots)
    assert max(dots) - min(dots) < 1


def test_a_model_without_dice_has_no_chart(inside):
    write_export(inside, ("onnx",))
    left = {key: value for key, value in figures(("onnx",)).items() if "dice" not in key or key == "max_dice_drop"}
    (EXPORT_REPORT / "metrics.json").write_text(json.dumps(left))
    found = read_exported()
    assert found
    assert math.isnan(found.trained.figure("dice"))
    assert speed_charts(found) == []
