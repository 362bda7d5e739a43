"""`seg check` and the stage `check`, in a folder that holds what both read."""

import json
import shutil

import cv2
import numpy as np
import pytest
from ruamel.yaml import YAML

import stages.check
from seglib import check
from seglib.config import read_params
from seglib.errors import SegError
from seglib.io.cache import open_cache
from seglib.io.images import read_image
from seglib.paths import ACCEPTED, CACHE, CONTACT_SHEET, INDEX, PARAMS, QUALITY
from seglib.paths import store as store_folder
from seglib.preprocessing import CacheBuilder, write_index
from seglib.sections.preprocess import Preprocess
from seglib.source import read_source
from tests.project import REPOSITORY, make_images


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder: the code, a folder `own` of discs, parameters that name it, and nothing accepted."""
    for name in ("seglib", "stages"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    for name in ("dvc.yaml", "versions.yaml", "params.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    make_images(tmp_path / "own")
    params = read_params()
    params["data"] |= {"name": "folder", "path": str(tmp_path / "own")}
    params["preprocess"] |= {"image_size": 32, "shards": 3}
    params["check"] |= {"contact_sheet": 5}
    with PARAMS.open("w") as file:
        YAML(typ="safe", pure=True).dump(params, file)
    ACCEPTED.write_text("# what someone has looked at")
    return tmp_path


def preprocess():
    """Write index and cache as the stage before does."""
    source, settings = read_source(read_params()), Preprocess.model_validate(read_params()["preprocess"])
    built = CacheBuilder(source.samples, source.spec, settings, "", CACHE, store_folder() / "shards").build()
    write_index(INDEX, "folder", source.spec, built.facts)


def copy(place, source, target):
    for folder in ("images", "masks"):
        shutil.copy(place / "own" / folder / f"{source}.png", place / "own" / folder / f"{target}.png")


def keys(report):
    return [finding.key for finding in report.findings]


def quality():
    return json.loads(QUALITY.read_text())


def test_clean_data_has_a_report_and_a_sheet_and_lies_in_the_store(place):
    report = check.check_data(read_params())
    assert keys(report) == []
    assert quality()["summary"]["samples"] == 12
    assert quality()["findings"] == []
    assert read_image(CONTACT_SHEET).shape == (168, 5 * 266, 3)
    assert [entry.name for entry in store_folder().iterdir()] == ["shards"]
    assert not CACHE.exists()
    assert not INDEX.exists()


def test_what_was_read_once_is_not_read_again(place):
    check.check_data(read_params())
    before = {file: file.read_bytes() for file in (store_folder() / "shards").iterdir()}
    first = QUALITY.read_bytes()
    check.check_data(read_params())
    assert {file: file.read_bytes() for file in (store_folder() / "shards").iterdir()} == before
    assert QUALITY.read_bytes() == first


def test_all_faults_are_told_in_one_run(place):
    copy(place, "case01", "zcopy")
    for name in ("case03", "case07"):
        file = place / "own/images" / f"{name}.png"
        file.write_bytes(file.read_bytes()[:200])
    cv2.imwrite(str(place / "own/masks/case05.png"), np.zeros((40, 48), np.uint8))
    report = check.check_data(read_params())
    assert keys(report) == [
        "unusable case03",
        "unusable case07",
        "exact_duplicate case01 zcopy",
        "empty_mask case05",
    ]
    assert quality()["clusters"] == [["case01", "zcopy"]]
    assert CONTACT_SHEET.exists()


def test_data_of_which_nothing_can_be_read_is_told_without_a_sheet(place):
    for file in (place / "own/images").iterdir():
        file.write_bytes(b"no image")
    report = check.check_data(read_params())
    assert len(report.errors) == 12
    assert not CONTACT_SHEET.exists()
    assert len(quality()["findings"]) == 12


def test_a_layout_that_is_not_known_is_a_finding(place):
    shutil.rmtree(place / "own/masks")
    report = check.check_data(read_params())
    assert [(finding.code, finding.severity) for finding in report.findings] == [("layout", "error")]
    assert quality()["findings"][0]["message"] == report.findings[0].message


@pytest.mark.parametrize("text", ["", "# no line's end", "# seen\n", "empty_mask gone"])
def test_what_is_accepted_is_told_no_more(place, text):
    copy(place, "case01", "zcopy")
    copy(place, "case02", "zcopy #2")
    ACCEPTED.write_text(text)
    assert check.accept(check.check_data(read_params())) == 2
    report = check.check_data(read_params())
    assert keys(report) == []
    assert len(report.accepted) == 2
    assert len(quality()["clusters"]) == 2
    assert check.accept(report) == 0


def test_errors_cannot_be_accepted(place):
    (place / "own/images/case03.png").write_bytes(b"no image")
    assert check.accept(check.check_data(read_params())) == 0
    ACCEPTED.write_text("unusable case03\n")
    assert keys(check.check_data(read_params())) == ["unusable case03"]


def test_reports_of_an_earlier_run_that_are_links_are_replaced(place):
    elsewhere = place / "cached.json"
    elsewhere.write_text("in DVC's cache")
    QUALITY.parent.mkdir()
    QUALITY.symlink_to(elsewhere)
    check.check_data(read_params())
    assert elsewhere.read_text() == "in DVC's cache"
    assert quality()["summary"]["samples"] == 12


def test_stage_writes_report_and_sheet_and_says_what_it_found(place, capsys):
    copy(place, "case01", "zcopy")
    QUALITY.parent.mkdir()
    preprocess()
    stages.check.main()
    assert [entry["key"] for entry in quality()["findings"]] == ["exact_duplicate case01 zcopy"]
    assert quality()["clusters"] == [["case01", "zcopy"]]
    assert read_image(CONTACT_SHEET).shape == (168, 5 * 266, 3)
    told = capsys.readouterr().out
    assert "warning: exact_duplicate (1): keep one" in told
    assert "0 errors, 1 warning, 0 notes, 0 accepted" in told
    staged = QUALITY.read_bytes()
    check.check_data(read_params())
    assert QUALITY.read_bytes() == staged


def test_stage_stops_at_errors(place):
    for file in (place / "own/masks").iterdir():
        cv2.imwrite(str(file), np.zeros((40, 48), np.uint8))
    QUALITY.parent.mkdir()
    preprocess()
    with pytest.raises(SegError, match=r"(?s)the data cannot be trained on; `seg check` .*\nerror: no_foreground"):
        stages.check.main()
    assert len(open_cache(CACHE)) == 12


def test_stage_takes_what_was_accepted(place):
    copy(place, "case01", "zcopy")
    ACCEPTED.write_text("exact_duplicate case01 zcopy  # the same car\n")
    QUALITY.parent.mkdir()
    preprocess()
    stages.check.main()
    assert quality()["findings"] == []
    assert quality()["accepted"] == ["exact_duplicate case01 zcopy"]
    ACCEPTED.unlink()
    with pytest.raises(SegError, match=r"accepted\.txt is missing"):
        stages.check.main()
