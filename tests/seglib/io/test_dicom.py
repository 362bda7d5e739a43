"""Series are put together by their headers, and refused where slices do not fit."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.dicom import Series, group_series
from seglib.io.dicom_headers import read_headers
from tests.archives import pack
from tests.layouts.dicom import scan, write_series


def read(folder: Path) -> Series:
    (series,) = group_series(read_headers(folder))
    return series


def edit(file: Path, **tags: Any) -> None:
    dataset = pydicom.dcmread(file)
    for name, value in tags.items():
        if isinstance(value, str):
            dataset[name] = pydicom.DataElement(name, "LO", value)
        else:
            setattr(dataset, name, value)
    dataset.save_as(file)


def test_slices_are_in_the_order_of_their_positions_whatever_the_files_are_called(tmp_path):
    """DICOM's columns run from the patient's right to the left, the arrangement's from left to right."""
    voxels = scan(0)[0]
    write_series(tmp_path, "p", voxels)
    stack = read(tmp_path).stack
    assert [header.file.name for header in stack.headers] == ["000003.dcm", "000002.dcm", "000001.dcm"]
    image = stack.read_image()
    assert image.dtype == np.int16
    assert (image[..., 0] == voxels[:, :, ::-1]).all()
    assert stack.arrangement.grid.spacing == (2.5, 0.8, 0.9)


def test_sagittal_series_are_arranged_alike(tmp_path):
    voxels = scan(0)[0]
    slices = write_series(tmp_path, "p", voxels, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    for x, file in enumerate(sorted(tmp_path.iterdir())):
        edit(file, ImagePositionPatient=[-50 + 2.5 * x, -15, 100])
    assert len(slices) == 3
    image = read(tmp_path).stack.read_image()[..., 0]
    assert image.shape == (40, 48, 3)
    # rows run from head to feet, columns to the back; voxels[2] is the file on the patient's right
    assert (image == voxels.transpose(1, 2, 0)[::-1]).all()


def test_files_need_no_ending_and_others_are_passed_over(tmp_path):
    write_series(tmp_path / "a", "p", scan(0)[0], suffix="")
    (tmp_path / "a/README.txt").write_text("text")
    (tmp_path / "a/.hidden.dcm").write_text("text")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    assert read(tmp_path).stack.shape == (3, 40, 48)


def test_an_archive_reads_alike(tmp_path):
    write_series(tmp_path / "a", "p", scan(0)[0])
    files = {f"top/{file.name}": file.read_bytes() for file in (tmp_path / "a").iterdir()}
    (tmp_path / "a.zip").write_bytes(pack(files))
    packed = group_series(read_headers(open_source(tmp_path / "a.zip")))[0].stack
    assert (packed.read_image() == read(tmp_path / "a").stack.read_image()).all()


def test_rescaling_keeps_whole_numbers_whole(tmp_path):
    write_series(tmp_path / "ct", "p", scan(0)[0], RescaleSlope=2, RescaleIntercept=-1000)
    assert read(tmp_path / "ct").stack.read_image().dtype == np.int16
    write_series(tmp_path / "pet", "p", scan(0)[0], modality="PT", RescaleSlope="0.5", RescaleIntercept=0)
    image = read(tmp_path / "pet").stack.read_image()
    assert image.dtype == np.float32
    assert image.max() == (scan(0)[0].max() + 1024) / 2


def test_without_rescaling_the_stored_values_count(tmp_path):
    write_series(tmp_path, "p", scan(0)[0], modality="MR", RescaleSlope=None, RescaleIntercept=None)
    image = read(tmp_path).stack.read_image()
    assert (image.dtype, image.min()) == (np.int16, scan(0)[0].min() + 1024)


@pytest.mark.parametrize("slope", ["abc", "nan"])
def test_a_slope_that_is_no_number_is_told(tmp_path, slope):
    write_series(tmp_path, "p", scan(0)[0])
    edit(tmp_path / "000002.dcm", RescaleSlope=slope)
    with pytest.raises(SegError, match=r"000002.dcm: RescaleSlope is "):
        read(tmp_path).stack.read_image()


def test_a_single_slice_is_as_thick_as_it_says(tmp_path):
    write_series(tmp_path, "p", scan(0)[0][:1])
    assert read(tmp_path).stack.arrangement.grid.spacing == (2.5, 0.8, 0.9)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"ImagePositionPatient": [-20, -15, 102.5]}, "1 slices lie where another lies, as .*dcm and .*dcm"),
        ({"ImagePositionPatient": [-20, -15, 115]}, "slices are .* mm apart, but .*dcm and .*dcm .* mm"),
        ({"ImagePositionPatient": [-10, -15, 107.5]}, "slices are shifted against each other"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "several orientations or pixel spacings"),
        ({"PixelSpacing": [1, 1]}, "several orientations or pixel spacings"),
        ({"Rows": 39}, "slices of several sizes"),
        ({"ImagePositionPatient": None}, "000001.dcm: has no usable ImagePositionPatient"),
        ({"NumberOfFrames": 2}, "000001.dcm: holds several frames"),
        ({"SamplesPerPixel": 3}, "000001.dcm: holds several frames or colours"),
        ({"SamplesPerPixel": "three"}, "000001.dcm: SamplesPerPixel is no number"),
    ],
)
def test_slices_that_do_not_fit_are_told(tmp_path, tags, message):
    write_series(tmp_path / "CT", "p", scan(0, 4)[0])
    edit(tmp_path / "CT/000001.dcm", **tags)
    with pytest.raises(SegError, match=message) as caught:
        _ = read(tmp_path).stack
    assert "CT" in str(caught.value)


def test_a_missing_slice_is_told(tmp_path):
    write_series(tmp_path / "CT", "p", scan(0, 5)[0])
    (tmp_path / "CT/000003.dcm").unlink()
    with pytest.raises(SegError, match=r"CT \(series .*\): slices are .* mm apart, but .* 5 mm; slices are missing"):
        _ = read(tmp_path).stack


def test_a_damaged_file_is_told(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"<html>")
    with pytest.raises(SegError, match=r"a.dcm: not a readable DICOM file"):
        read_headers(tmp_path)


def test_a_truncated_slice_is_told(tmp_path):
    write_series(tmp_path, "p", scan(0)[0])
    file = tmp_path / "000002.dcm"
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(SegError, match=r"000002.dcm"):
        read(tmp_path).stack.read_image()


def test_pixels_that_cannot_be_decoded_are_told_with_what_to_install(tmp_path):
    write_series(tmp_path, "p", scan(0)[0])
    file = tmp_path / "000002.dcm"
    dataset = pydicom.dcmread(io.BytesIO(file.read_bytes()))
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([b"no image"])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(file)
    with pytest.raises(SegError, match=r"000002.dcm: its pixels \(JPEG 2000.*pip install pylibjpeg"):
        read(tmp_path).stack.read_image()
