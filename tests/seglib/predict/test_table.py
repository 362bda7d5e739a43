import csv

import numpy as np

from seglib.predict.table import CASES_HEADER, FAILED_HEADER, class_rows, write_table
from tests.model_cards import card
from tests.predicting import THREE


def rows(mask, spacing=None, **own):
    return [dict(zip(CASES_HEADER, row, strict=True)) for row in class_rows("a", mask, spacing, card(**own))]


def test_a_picture_has_areas_where_its_spacing_is_known():
    mask = np.zeros((10, 20), np.uint8)
    mask[:2, :3], mask[5:, 10:12], mask[5:, 14] = 1, 2, 2
    lung, heart = rows(mask, (0.5, 2.0), classes=THREE)
    assert lung == {
        "id": "a", "class": "lung", "pixels": 6, "area_mm2": 6.0, "volume_ml": "", "share": 0.03, "components": 1,
    }  # fmt: skip
    assert (heart["class"], heart["pixels"], heart["area_mm2"], heart["components"]) == ("heart", 15, 15.0, 2)
    assert [(row["area_mm2"], row["volume_ml"]) for row in rows(mask, classes=THREE)] == [("", "")] * 2


def test_a_volume_has_millilitres():
    mask = np.zeros((10, 10, 20), np.uint8)
    mask[:5] = 1
    (row,) = rows(mask, (2.0, 1.0, 0.5))
    assert (row["pixels"], row["area_mm2"], row["volume_ml"], row["share"]) == (1000, "", 1.0, 0.5)


def test_overlapping_classes_share_pixels():
    mask = np.array([[0, 1, 2, 3]], np.uint8)
    found = rows(mask, classes=THREE, overlapping=True, sigmoid=True)
    assert [(row["class"], row["pixels"], row["share"]) for row in found] == [("lung", 2, 0.5), ("heart", 2, 0.5)]


def test_tables_are_read_back_whatever_names_are_like(tmp_path):
    written = [("a, b/ü", 'no "image"\nat all'), ("c", "")]
    write_table(tmp_path / "deep/failed.csv", FAILED_HEADER, written)
    with (tmp_path / "deep/failed.csv").open(newline="") as file:
        header, *found = csv.reader(file)
    assert tuple(header) == FAILED_HEADER
    assert [tuple(row) for row in found] == written
