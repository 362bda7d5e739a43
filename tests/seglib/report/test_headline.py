import json
from pathlib import Path

from seglib.measures import MEASURES
from seglib.report.headline import FEW_GROUPS, FIRST, headline
from seglib.report.results import read_results
from tests import report_files


def change(**figures):
    """Rewrite figures of metrics.json; None takes one away."""
    file = Path("reports/evaluate/metrics.json")
    metrics = json.loads(file.read_text()) | figures
    file.write_text(json.dumps({name: value for name, value in metrics.items() if value is not None}))
    return read_results()


def test_every_measure_is_shown_once_with_interval_and_meaning(params):
    found = headline(read_results(), params)
    names = [figure.name for figure in (*found.first, *found.others)]
    assert len(names) == len(set(names))
    assert {measure.name for measure in MEASURES} < set(names)
    assert [figure.name for figure in found.first] == list(FIRST)
    assert all(figure.interval and figure.meaning.endswith(".") for figure in (*found.first, *found.others))


def test_figures_carry_units_and_the_tolerance(params):
    results = change(dice=0.93, dice_low=0.9, dice_high=0.955, hd95=12.345, hd95_low=8.0, hd95_high=20.0)
    figures = {figure.name: figure for figure in headline(results, params).first}
    assert (figures["dice"].value, figures["dice"].interval) == ("0.930", "0.900 to 0.955")
    assert figures["dice"].bar == (0.9, 0.93, 0.955)
    assert (figures["hd95"].value, figures["hd95"].interval) == ("12.3 pixels", "8.00 to 20.0 pixels")
    assert figures["hd95"].bar is None
    assert "within 2 pixels" in figures["nsd"].meaning


def test_a_figure_without_value_or_interval_is_left_out_or_bare(params):
    results = change(nsd=None, nsd_low=None, nsd_high=None, dice_low=None, dice_high=None)
    figures = {figure.name: figure for figure in headline(results, params).first}
    assert "nsd" not in figures
    assert figures["dice"].interval == ""
    assert figures["dice"].bar == (results.metrics["dice"],) * 3


def test_few_groups_are_called_few(params):
    few, many = (headline(change(n_groups=groups), params) for groups in (FEW_GROUPS - 1, FEW_GROUPS))
    assert f"{FEW_GROUPS - 1} groups are few" in " ".join(few.notes)
    assert "are few" not in " ".join(many.notes)


def test_groups_are_named_where_they_are_not_the_cases(params):
    assert headline(change(n=24, n_groups=12), params).counted == "24 test cases in 12 groups"
    assert headline(change(n=24, n_groups=24), params).counted == "24 test cases"


def test_missed_and_empty_cases_are_counted(params):
    notes = " ".join(headline(change(n_missed=3, n_empty=1), params).notes)
    assert "In 3 cases nothing of what is there was found" in notes
    assert "In 1 case neither truth nor prediction" in notes
    notes = " ".join(headline(change(n_missed=0, n_empty=0), params).notes)
    assert "No case was missed altogether." in notes
    assert "neither" not in notes


def test_no_value_at_all_is_said(write):
    results = write(valued=False)
    found = headline(results, report_files.params())
    assert not found.first
    assert found.notes == ["No case has a figure: neither the truth nor the prediction of any shows an object."]
