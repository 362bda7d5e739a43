"""Patients' CT series with every kind of mask, in folders as archives of hospitals have them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import highdicom
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from tests.layouts import disc
from tests.layouts.msd import write

OPTIONS: dict[str, object] = {"modality": "ct", "classes": [], "overlapping": False, "take": "axial"}
SPACING = (2.5, 0.8, 0.9)
CORNER = (-20.0, -15.0, 100.0)


def build(root: Path) -> dict[str, object]:
    """Four patients of three slices: two with a structure set, one with a segmentation, one with NIfTI."""
    for number, patient in enumerate(("LUNG1-001", "LUNG1-002", "LUNG1-003", "LUNG1-004")):
        voxels, mask = scan(number)
        folder = root / "NSCLC" / patient
        slices = write_series(folder / "CT", patient, voxels, suffix="" if number == 1 else ".dcm")
        if number < 2:
            write_structures(folder / "RTSTRUCT/1-1.dcm", slices, {"GTV-1": outlines(mask, slices)})
        elif number == 2:
            write_segments(folder / "SEG/1-1.dcm", slices, {"GTV-1": mask})
        else:
            write(folder / "mask/GTV-1.nii.gz", mask.transpose(2, 1, 0), nifti_affine())
    return dict(OPTIONS)


def scan(seed: int, depth: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Hounsfield units and a mask, [slice, row, column]."""
    slices = [disc(10 * seed + z) for z in range(depth)]
    image = np.stack([picture[:, :, 0] for picture, _ in slices]).astype(np.int16) * 5 - 1000
    return image, np.stack([mask for _, mask in slices])


def write_series(
    folder: Path, patient: str, voxels: np.ndarray, suffix: str = ".dcm", modality: str = "CT", **tags: Any
) -> list[Dataset]:
    """Write a slice a file, named against the order of their positions; gives them in that order."""
    slices = []
    for z, plane in enumerate(voxels):
        one = _file(CTImageStorage, f"{patient}{modality}{z}", patient, modality)
        one.SeriesInstanceUID = generate_uid(entropy_srcs=[patient, modality])
        one.FrameOfReferenceUID = generate_uid(entropy_srcs=[patient])
        one.Rows, one.Columns = plane.shape
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = 16
        one.HighBit, one.PixelRepresentation = 15, 0
        one.RescaleSlope, one.RescaleIntercept = 1, -1024
        one.PixelSpacing, one.SliceThickness = list(SPACING[1:]), SPACING[0]
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.ImagePositionPatient = [CORNER[0], CORNER[1], CORNER[2] + z * SPACING[0]]
        one.PixelData = (plane.astype(np.int32) + 1024).astype("<u2").tobytes()
        for name, value in tags.items():
            setattr(one, name, value)
        save(folder / f"{len(voxels) - z:06d}{suffix}", one)
        slices.append(one)
    return slices


def outlines(mask: np.ndarray, slices: Sequence[Dataset]) -> list[np.ndarray]:
    """A contour round the pixels of each part and each hole of a mask, in mm."""
    contours = []
    for plane, one in zip(mask, slices, strict=True):
        large = cv2.resize(plane.astype(np.uint8), None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
        for line in cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]:
            columns, rows = ((line[:, 0] + 0.5) / 8 - 0.5).T
            x, y, z = one.ImagePositionPatient
            down, right = one.PixelSpacing
            contours.append(np.stack([x + columns * right, y + rows * down, np.full(len(rows), z)], axis=1))
    return contours


def write_structures(
    path: Path, slices: Sequence[Dataset], rois: dict[str, list[np.ndarray]], series: str | None = None
) -> None:
    """Write a structure set that refers to the series of the slices, or to another one."""
    first = slices[0]
    one = _file(RTStructureSetStorage, f"{path}", str(first.PatientID), "RTSTRUCT")
    one.SeriesInstanceUID = generate_uid(entropy_srcs=[str(path), "series"])
    one.StructureSetLabel = "RTstruct"
    referred = _item(SeriesInstanceUID=series or first.SeriesInstanceUID)
    study = _item(RTReferencedSeriesSequence=[referred])
    one.ReferencedFrameOfReferenceSequence = [
        _item(FrameOfReferenceUID=first.FrameOfReferenceUID, RTReferencedStudySequence=[study])
    ]
    one.StructureSetROISequence = [_item(ROINumber=i, ROIName=name) for i, name in enumerate(rois, 1)]
    one.ROIContourSequence = [
        _item(ReferencedROINumber=i, ContourSequence=[_contour(points) for points in contours])
        for i, contours in enumerate(rois.values(), 1)
    ]
    save(path, one)


def write_segments(path: Path, slices: Sequence[Dataset], segments: dict[str, np.ndarray]) -> None:
    """Write a binary segmentation of the slices."""
    descriptions = [
        highdicom.seg.SegmentDescription(i, name, codes.SCT.Tissue, codes.SCT.Neoplasm, "MANUAL")
        for i, name in enumerate(segments, 1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    highdicom.seg.Segmentation(
        source_images=list(slices),
        pixel_array=np.stack(list(segments.values()), axis=-1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=descriptions,
        series_instance_uid=generate_uid(entropy_srcs=[str(path.name), "seg"]),
        series_number=2,
        sop_instance_uid=generate_uid(entropy_srcs=[str(path.name), "sop"]),
        instance_number=1,
        manufacturer="nobody",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
    ).save_as(path)


def nifti_affine() -> np.ndarray:
    """The grid of the series for voxels [x, y, z]: columns run to the left, rows to the back."""
    affine = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1])
    affine[:3, 3] = -CORNER[0], -CORNER[1], CORNER[2]
    return affine


def save(path: Path, dataset: Dataset) -> None:
    """Write a DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)


def _file(kind: str, entropy: str, patient: str, modality: str) -> Dataset:
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.SOPClassUID = kind
    one.SOPInstanceUID = generate_uid(entropy_srcs=[entropy])
    one.StudyInstanceUID = generate_uid(entropy_srcs=[patient, "study"])
    one.PatientID, one.PatientName = patient, f"{patient}^"
    one.Modality = modality
    for name in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"):
        setattr(one, name, "")
    one.SeriesNumber = one.InstanceNumber = 1
    return one


def _contour(points: np.ndarray) -> Dataset:
    return _item(
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=len(points),
        ContourData=[f"{value:.5g}" if abs(value) < 1e-4 else f"{value:.5f}" for value in points.ravel()],
    )


def _item(**tags: Any) -> Dataset:
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return item
