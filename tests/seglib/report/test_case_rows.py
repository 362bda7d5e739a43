import json

import numpy as np

from seglib.measures import MEASURES
from seglib.report.case_rows import SHOWN, case_rows
from seglib.report.gallery import Gallery, gallery


def column(rows, name):
    return next(column for column in rows["columns"] if column["name"] == name)


def whole(rows, values, absent):
    """Values of all classes, float [cases][classes]."""
    found = np.full((len(rows["cases"]), len(rows["classes"])), absent)
    for row, (places, known) in enumerate(zip(rows["places"], values, strict=True)):
        found[row, places] = known
    return found


def test_every_figure_of_every_case_and_class_is_there(write):
    results = write(classes=("polyp", "ulcer"))
    rows = case_rows(results, gallery(results))
    assert [found["id"] for found in rows["cases"]] == list(results.cases.ids)
    assert [found["name"] for found in rows["columns"]] == list(SHOWN)
    assert {measure.name for measure in MEASURES} < set(SHOWN)
    for found in rows["columns"]:
        shown = whole(rows, found["values"], 0.0 if found["kind"] == "count" else np.nan)
        np.testing.assert_allclose(shown, results.cases.columns[found["name"]], atol=5.1e-5, rtol=0)


def test_a_class_that_a_case_does_not_show_takes_no_place(write):
    results = write(classes=("polyp", "ulcer"))
    rows = case_rows(results, gallery(results))
    assert (rows["places"][4], rows["places"][5]) == ([0, 1], [1])
    assert {len(found["values"][5]) for found in rows["columns"]} == {1}


def test_a_missing_value_is_null(write):
    results = write()
    results.cases.columns["volume_difference"][4] = np.nan
    rows = case_rows(results, gallery(results))
    assert column(rows, "volume_difference")["values"][4] == [None]
    assert json.loads(json.dumps(rows, allow_nan=False)) == json.loads(json.dumps(rows))


def test_missed_cases_are_marked_by_class(write):
    results = write(classes=("polyp", "ulcer"))
    rows = case_rows(results, gallery(results))
    missed = whole(rows, rows["missed"], 0)
    assert [row for row, found in enumerate(missed) if found[0]] == [3, 20]
    assert not any(found[1] for found in missed)


def test_columns_name_their_units(write):
    results = write(volumes=True)
    rows = case_rows(results, gallery(results))
    assert column(rows, "hd95")["label"] == "HD95, mm"
    assert column(rows, "truth")["label"] == "Truth, voxels"
    assert [column(rows, name)["kind"] for name in ("dice", "hd95", "truth")] == ["share", "distance", "count"]


def test_groups_are_told_where_cases_share_them(write):
    results = write()
    rows = case_rows(results, gallery(results))
    assert rows["grouped"]
    assert rows["cases"][2]["group"] == "patient 1"


def test_groups_of_one_case_are_not_told(write):
    results = write(per_group=1)
    assert not case_rows(results, gallery(results))["grouped"]


def test_drawn_cases_link_to_their_pictures(draw):
    results = draw()
    shown = gallery(results)
    anchors = {found["id"]: found["anchor"] for found in case_rows(results, shown)["cases"]}
    assert {key: anchor for key, anchor in anchors.items() if anchor} == {
        case.id: case.anchor for case in (*shown.first, *shown.others)
    }
    assert not any(found["anchor"] for found in case_rows(results, Gallery([], []))["cases"])
