"""Slices of DICOM become one input each series."""

from pathlib import Path
from typing import Any

import pydicom

from tests.archives import pack
from tests.layouts import dicom as series
from tests.opening_inputs import CT, depths, opened, write


def edit(file: Path, **tags: Any) -> None:
    dataset = pydicom.dcmread(file)
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.save_as(file)


def test_a_folder_of_slices_is_one_input_with_the_name_of_the_folder(tmp_path):
    series.write_series(tmp_path / "p/CT", "p", series.scan(0)[0])
    series.write_series(tmp_path / "q/CT", "q", series.scan(1, 4)[0], suffix="")
    write(tmp_path, "p/CT/DICOMDIR", "p/CT/readme.txt", content=b"text")
    assert depths(tmp_path / "p/CT") == {"CT": 3}
    assert depths(tmp_path) == {"p/CT": 3, "q/CT": 4}
    assert depths(tmp_path / "p/CT/*.dcm") == {"CT": 3}


def test_a_series_may_lie_in_several_folders(tmp_path):
    series.write_series(tmp_path / "CT/a", "p", series.scan(0)[0])
    (tmp_path / "CT/b").mkdir()
    (tmp_path / "CT/a/000002.dcm").rename(tmp_path / "CT/b/000002.dcm")
    assert depths(tmp_path) == {"CT": 3}
    assert depths(tmp_path / "CT/a/000001.dcm") == {"a": 1}


def test_several_series_in_one_folder_are_told_apart(tmp_path):
    for number, patient in enumerate("pq"):
        series.write_series(tmp_path / patient, patient, series.scan(0, 3 + number)[0])
        for file in (tmp_path / patient).iterdir():
            (tmp_path / "CT").mkdir(exist_ok=True)
            file.rename(tmp_path / "CT" / f"{patient}{file.name}")
    found = depths(tmp_path / "CT")
    assert sorted(found.values()) == [3, 4]
    assert all(name.startswith("CT-") and len(name) == 11 for name in found)


def test_a_zip_of_slices_is_one_input(tmp_path):
    slices = series.write_series(tmp_path / "CT", "p", series.scan(0)[0])
    files = {file.name: file.read_bytes() for file in (tmp_path / "CT").iterdir()}
    (tmp_path / "scan.zip").write_bytes(pack(files))
    assert depths(tmp_path / "scan.zip") == {"scan": len(slices)}


def test_masks_of_a_series_are_no_inputs(tmp_path):
    series.build(tmp_path)
    names, reasons = opened(tmp_path / "NSCLC/LUNG1-001", tmp_path / "NSCLC/LUNG1-003", to=CT)
    assert (names, reasons) == (["LUNG1-001/CT", "LUNG1-003/CT"], {})
    reasons = opened(tmp_path / "NSCLC/LUNG1-001/RTSTRUCT/1-1.dcm", to=CT)[1]
    assert reasons["1-1.dcm"].endswith("1-1.dcm: is a DICOM file without an image; name the slices of a series")


def test_a_series_of_another_modality_is_told_once(tmp_path):
    series.write_series(tmp_path / "MR", "p", series.scan(0)[0], modality="MR")
    series.write_series(tmp_path / "US", "p", series.scan(0)[0], modality="US")
    series.write_series(tmp_path / "CT", "p", series.scan(0)[0])
    names, reasons = opened(tmp_path, to=CT)
    assert (names, sorted(reasons)) == (["CT"], ["MR", "US"])
    assert "belongs to a series of mri, but the model was trained on ct" in reasons["MR"]
    assert "is of the DICOM modality 'US'; known: CT, MR, PT" in reasons["US"]
    assert "belongs to a series of ct, but the model was trained on photograph" in opened(tmp_path / "CT")[1]["CT"]


def test_a_damaged_slice_is_told_and_the_rest_goes_on(tmp_path):
    series.write_series(tmp_path / "CT", "p", series.scan(0)[0])
    write(tmp_path, "CT/x.dcm", content=b"<html>")
    names, reasons = opened(tmp_path, to=CT)
    assert names == ["CT"]
    assert "x.dcm: not a readable DICOM file" in reasons["CT/x.dcm"]


def test_a_header_that_is_damaged_inside_is_told(tmp_path):
    series.write_series(tmp_path / "CT", "p", series.scan(0)[0], modality="US")
    content = (tmp_path / "CT/000002.dcm").read_bytes()
    rows = content.index(b"\x28\0\x10\0US\2\0") + 6
    (tmp_path / "CT/000002.dcm").write_bytes(
        content[:rows] + b"\3\0" + content[rows + 2 : rows + 4] + b"\0" + content[rows + 4 :]
    )
    assert "000002.dcm: not a readable DICOM file (Expected total bytes" in opened(tmp_path)[1]["CT/000002.dcm"]
