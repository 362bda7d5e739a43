import base64
import shutil

import numpy as np
import pytest

from seglib.case_table import case_name
from seglib.errors import SegError
from seglib.report import gallery
from seglib.report.gallery import PICTURES, THUMBNAILS, thumbnails

show = gallery.gallery


def ranked(results) -> list[str]:
    dice = dict(zip(results.cases.ids, results.cases.mean_of_cases("dice"), strict=True))
    return sorted((key for key in dice if not np.isnan(dice[key])), key=lambda key: dice[key])


def test_worst_median_and_best_stand_first(draw):
    results = draw()
    found, order = show(results), ranked(results)
    assert [case.label for case in found.first] == ["Worst case", "Median case", "Best case"]
    assert [case.id for case in found.first] == [order[0], order[(len(order) - 1) // 2], order[-1]]
    assert [case.label for case in found.others] == [f"Case {order.index(case.id) + 1} of 23" for case in found.others]
    assert len(found.others) == 2


def test_pictures_are_part_of_the_page(draw):
    case = show(draw()).first[0]
    for kind, address in case.pictures.items():
        content = (PICTURES / case_name(case.id) / f"{kind}.webp").read_bytes()
        assert address == f"data:image/webp;base64,{base64.b64encode(content).decode()}"


def test_facts_of_several_classes_tell_each(draw):
    results = draw(classes=("polyp", "ulcer"))
    case = show(results).first[-1]
    facts, row = dict(case.facts), results.cases.ids.index(case.id)
    assert facts["Dice ulcer"] == f"{results.cases.columns['dice'][row, 1]:.3f}"
    assert facts["Truth"] == f"{int(results.cases.columns['truth'][row].sum()):,} pixels"


@pytest.mark.parametrize(("drawn", "labels"), [(1, ["Case 1 of 2"]), (2, ["Case 1 of 2", "Case 2 of 2"])])
def test_few_cases_are_called_by_their_rank(draw, drawn, labels):
    found = show(draw(ids=("a", "b"), drawn=drawn))
    assert [case.label for case in found.first] == labels
    assert not found.others


def test_nothing_drawn_shows_nothing(draw):
    found = show(draw(drawn=0))
    assert (found.first, found.others) == ([], [])


def test_cases_without_a_dice_are_shown_where_there_are_no_others(draw):
    assert [case.id for case in show(draw(ids=("a", "b"), valued=False, drawn=1)).first] == ["a"]


@pytest.mark.parametrize(("folder", "read"), [(PICTURES, show), (THUMBNAILS, lambda results: thumbnails(results, 0))])
def test_a_missing_folder_is_told(draw, folder, read):
    results = draw()
    shutil.rmtree(folder)
    with pytest.raises(SegError, match=f"^{folder} is missing"):
        read(results)


def test_thumbnails_are_left_out_beyond_the_budget_best_cases_first(draw, monkeypatch):
    results = draw(thumbnails=False)
    for key in results.cases.ids:
        (THUMBNAILS / f"{case_name(key)}.webp").write_bytes(bytes(100))
    assert len(thumbnails(results, 0)) == 24
    monkeypatch.setattr(gallery, "THUMBNAIL_BUDGET", 1000)
    assert list(thumbnails(results, 0)) == ranked(results)[:10]
    assert list(thumbnails(results, gallery.TABLE_BUDGET)) == ranked(results)[:10]
    assert list(thumbnails(results, gallery.TABLE_BUDGET + 400)) == ranked(results)[:7]


def test_pictures_are_left_out_beyond_the_budget_best_cases_first(draw, monkeypatch):
    results = draw(drawn=9)
    for folder in PICTURES.iterdir():
        for file in folder.iterdir():
            file.write_bytes(bytes(25))
    everything = show(results)
    monkeypatch.setattr(gallery, "PICTURE_BUDGET", 500)
    found = show(results)
    assert [case.id for case in found.first] == [case.id for case in everything.first]
    assert [case.id for case in found.others] == [case.id for case in everything.others[:2]]
    monkeypatch.setattr(gallery, "PICTURE_BUDGET", 0)
    assert len(show(results).first) == 3
    assert not show(results).others


def test_a_case_that_lacks_a_picture_is_left_out(draw):
    results = draw()
    worst = show(results).first[0].id
    (PICTURES / case_name(worst) / "truth.webp").unlink()
    found = show(results)
    assert len(found.first) + len(found.others) == 4
    assert worst not in [case.id for case in (*found.first, *found.others)]


def test_a_missing_thumbnail_is_left_out(draw):
    results = draw()
    key = ranked(results)[3]
    (THUMBNAILS / f"{case_name(key)}.webp").unlink()
    assert len(thumbnails(results, 0)) == 23
    assert key not in thumbnails(results, 0)
