"""Contours become the voxels whose centres they enclose."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.dicom import Stack, group_series
from seglib.io.dicom_headers import read_headers
from seglib.io.dicom_references import find_series
from seglib.io.nifti import read_header, read_image, read_labels
from seglib.io.rtstruct import inside, read_rois, roi_names
from tests.layouts.dicom import SPACING, outlines, scan, write_series, write_structures


def square(low: float, high: float) -> np.ndarray:
    return np.array([[low, low], [low, high], [high, high], [high, low]])


def drawn(tmp_path: Path, mask: np.ndarray, shift: float = 0) -> tuple[Path, Stack]:
    """A structure set round a mask, moved along the slices by a share of their distance."""
    slices = write_series(tmp_path / "CT", "p", scan(0, len(mask))[0])
    contours = [contour + np.array([0, 0, shift * SPACING[0]]) for contour in outlines(mask, slices)]
    write_structures(tmp_path / "rs.dcm", slices, {"GTV": contours})
    return tmp_path / "rs.dcm", group_series(read_headers(tmp_path / "CT"))[0].stack


@pytest.mark.parametrize(
    ("low", "high", "first", "last"),
    [(1.6, 4.4, 2, 4), (1.5, 4.5, 2, 4), (2.0, 5.0, 2, 4), (2.01, 5.01, 3, 5), (-3, 99, 0, 7)],
)
def test_a_pixel_is_inside_where_its_centre_is(low, high, first, last):
    expected = np.zeros((8, 8), bool)
    expected[first : last + 1, first : last + 1] = True
    assert (inside([square(low, high)], 8, 8) == expected).all()


def test_the_direction_of_a_contour_makes_no_difference():
    contour = np.random.default_rng(0).uniform(0, 20, (9, 2))
    assert (inside([contour], 20, 20) == inside([contour[::-1]], 20, 20)).all()


def test_neighbours_that_share_an_edge_neither_overlap_nor_leave_a_gap():
    left, right = square(1, 5), square(1, 5) + np.array([0, 4])
    assert not (inside([left], 10, 10) & inside([right], 10, 10)).any()
    union = inside([left], 10, 10) | inside([right], 10, 10)
    assert (union[1:5, 1:9]).all()
    assert union.sum() == 32


def test_a_contour_inside_another_is_a_hole_and_one_inside_that_an_island():
    pixels = inside([square(-0.5, 9.5), square(1.5, 7.5), square(3.5, 5.5)], 10, 10)
    assert pixels[0, 0]
    assert not pixels[2, 2]
    assert pixels[4, 4]
    assert pixels.sum() == 100 - 36 + 4


def test_a_hole_that_a_channel_connects_with_the_outline():
    keyhole = [(0, 0), (0, 9), (9, 9), (9, 0), (0, 0), (2, 2), (7, 2), (7, 7), (2, 7), (2, 2)]
    expected = inside([square(0, 9), square(2, 7)], 10, 10)
    assert (inside([np.array(keyhole, float)], 10, 10) == expected).all()


def test_contours_round_pixels_give_these_pixels(tmp_path):
    mask = scan(3)[1]
    mask[1, 18:22, 20:24] = 1 - mask[1, 18:22, 20:24]
    file, stack = drawn(tmp_path, mask)
    assert roi_names(file) == ["GTV"]
    assert (read_rois(file, ["GTV", "PTV"], stack)["GTV"] == mask[:, :, ::-1]).all()


@pytest.mark.parametrize("shift", [-0.5, -0.2, 0.2, 0.49])
def test_contours_near_a_slice_belong_to_it(tmp_path, shift):
    mask = scan(3)[1]
    mask[[0, 2]] = 0
    file, stack = drawn(tmp_path, mask, shift)
    voxels = read_rois(file, ["GTV"], stack)["GTV"]
    assert np.count_nonzero(voxels.any(axis=(1, 2))) == 1
    if abs(shift) < 0.5:
        assert (voxels == mask[:, :, ::-1]).all()


@pytest.mark.parametrize("shift", [0.6, -3])
def test_contours_beyond_the_images_are_told(tmp_path, shift):
    mask = scan(3)[1]
    mask[: 2 if shift > 0 else 0] = 0
    mask[0 if shift > 0 else 1 :] *= shift > 0
    file, stack = drawn(tmp_path, mask, shift)
    with pytest.raises(SegError, match=r"rs.dcm: ROI 'GTV' has a contour on slices .* of .*CT.*which are 0 to 2"):
        read_rois(file, ["GTV"], stack)


def test_contours_across_slices_are_told(tmp_path):
    slices = write_series(tmp_path / "CT", "p", scan(0)[0])
    upright = np.array([[0, 0, 100], [10, 0, 100], [10, 0, 105], [0, 0, 105]])
    write_structures(tmp_path / "rs.dcm", slices, {"GTV": [upright]})
    with pytest.raises(SegError, match=r"has a contour on slices 0.00 to 2.00"):
        read_rois(tmp_path / "rs.dcm", ["GTV"], group_series(read_headers(tmp_path / "CT"))[0].stack)


def test_two_rois_of_one_name_are_told(tmp_path):
    slices = write_series(tmp_path / "CT", "p", scan(0)[0])
    contours = outlines(scan(0)[1], slices)
    write_structures(tmp_path / "rs.dcm", slices, {"GTV": contours, "GTV ": contours})
    with pytest.raises(SegError, match=r"rs.dcm: two ROIs are called 'GTV'"):
        roi_names(tmp_path / "rs.dcm")


def test_an_roi_without_contours_is_none(tmp_path):
    slices = write_series(tmp_path / "CT", "p", scan(0)[0])
    write_structures(tmp_path / "rs.dcm", slices, {"GTV": outlines(scan(0)[1], slices), "empty": []})
    assert roi_names(tmp_path / "rs.dcm") == ["GTV"]


@pytest.mark.parametrize(("modality", "kind"), [("CT", "ct"), ("MR_T1", "mri"), ("PET", "pet")])
def test_the_published_contours_are_the_published_voxels(real_data, modality, kind):
    root = open_source(real_data / "STS_001.zip") / "STS_soft_tissue_sarcoma/STS_001" / modality
    series = {one.uid: one for one in group_series(read_headers(root / "dicom/image"))}
    header = read_headers(root / "dicom/mask")[0]
    found = find_series(header, series, kind)
    assert found is not None
    voxels = read_rois(header.file, roi_names(header.file), found.stack)[f"GTV_Mass_{modality}"]
    twin = root / "nifti/mask/mask.nii.gz"
    found.stack.arrangement.grid.check(read_header(twin).grid, "DICOM", "NIfTI")
    assert (voxels == (read_labels(twin) == 1)).all()
    image = found.stack.read_image()
    assert image.dtype == (np.float32 if kind == "pet" else np.int16)
    assert np.allclose(image, read_image(root / "nifti/image/image.nii.gz"), rtol=1e-6, atol=0)


def harmed(tmp_path: Path, harm: Callable[[pydicom.Dataset, pydicom.Dataset], None]) -> tuple[Path, Stack]:
    """A structure set after `harm` changed its ROI, or the contours of that."""
    file, stack = drawn(tmp_path, scan(3)[1])
    dataset = pydicom.dcmread(file)
    harm(dataset.StructureSetROISequence[0], dataset.ROIContourSequence[0])
    dataset.save_as(file)
    return file, stack


def strip_points(_: pydicom.Dataset, contours: pydicom.Dataset) -> None:
    del contours.ContourSequence[0].ContourData
    contours.ContourSequence[1].ContourData = None


def odd_points(_: pydicom.Dataset, contours: pydicom.Dataset) -> None:
    contours.ContourSequence[0].ContourData = ["1", "2", "3", "4"]


def strip_number(roi: pydicom.Dataset, _: pydicom.Dataset) -> None:
    del roi.ROINumber


def strip_reference(_: pydicom.Dataset, contours: pydicom.Dataset) -> None:
    del contours.ReferencedROINumber


def test_contours_without_points_are_none(tmp_path):
    file, stack = harmed(tmp_path, strip_points)
    assert read_rois(file, ["GTV"], stack)["GTV"].any(axis=(1, 2)).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (odd_points, r"rs.dcm: ROI 'GTV' has a contour whose coordinates are no points"),
        (strip_number, r"rs.dcm: ROI 'GTV' has no ROINumber"),
        (strip_reference, r"rs.dcm: contours of no ROI"),
    ],
)
def test_damaged_rois_are_told(tmp_path, harm, message):
    file, stack = harmed(tmp_path, harm)
    with pytest.raises(SegError, match=message):
        read_rois(file, roi_names(file), stack)
