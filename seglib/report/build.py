"""The report as a whole."""

from collections.abc import Mapping
from typing import Any

from seglib.errors import listing
from seglib.report import plots
from seglib.report.case_rows import case_rows
from seglib.report.classes import SHOWN, class_rows, colours, confusion
from seglib.report.data_card import data_card
from seglib.report.export_part import export_part
from seglib.report.gallery import gallery
from seglib.report.headline import headline
from seglib.report.model_card import model_card
from seglib.report.origin import origin
from seglib.report.page import render
from seglib.report.parameters import parameters
from seglib.report.results import read_results

SUBJECTS = 5
"""Classes that the first sentence names."""


def build_report(params: Mapping[str, Any]) -> str:
    """The HTML page of the results in the current folder; `params` is the content of `params.yaml`.

    Raises SegError where a file or a parameter is missing.
    """
    shown = parameters(params)
    results = read_results()
    cases = gallery(results)
    charts = (plots.dice_histogram(results), plots.dice_by_size(results), plots.calibration(results))
    values = {
        "title": f"Segmentation of {results.dataset['name']}",
        "subject": listing(results.cases.classes, SUBJECTS),
        "results": results,
        "headline": headline(results, params),
        "classes": class_rows(results),
        "class_labels": list(SHOWN.values()),
        "colours": colours(results),
        "confusion": confusion(results),
        "charts": [chart for chart in charts if chart],
        "curves": plots.learning_curves(results),
        "gallery": cases,
        "cases": case_rows(results, cases),
        "data": data_card(results),
        "model": model_card(results, params),
        "export": export_part(),
        "origin": origin(params),
        "parameters": shown,
    }
    return render("index.html.j2", values)
