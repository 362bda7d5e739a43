import json

import numpy as np

from seglib.measures import MEASURES
from seglib.report.case_rows import SHOWN, case_rows
from seglib.report.gallery import Gallery, gallery


def column(rows, name):
    return next(column for column in rows["columns"] if column["name"] == name)


def test_every_figure_of_every_case_and_class_is_there(write):
    results = write(classes=("polyp", "ulcer"))
    rows = case_rows(results, gallery(results))
    assert [found["id"] for found in rows["cases"]] == list(results.cases.ids)
    assert [found["name"] for found in rows["columns"]] == list(SHOWN)
    assert {measure.name for measure in MEASURES} < set(SHOWN)
    for found in rows["columns"]:
        shown = np.array(found["values"], dtype=float)
        np.testing.assert_allclose(shown, results.cases.columns[found["name"]], atol=5.1e-5, rtol=0)


def test_a_missing_value_is_null(write):
    results = write()
    rows = case_rows(results, gallery(results))
    assert column(rows, "dice")["values"][5] == [None]
    assert json.loads(json.dumps(rows, allow_nan=False)) == json.loads(json.dumps(rows))


def test_missed_cases_are_marked_by_class(write):
    results = write(classes=("polyp", "ulcer"))
    missed = case_rows(results, gallery(results))["missed"]
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
