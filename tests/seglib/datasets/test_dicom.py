"""DICOM folders: which mask belongs to which series, and what the options make of the regions."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from seglib.datasets import dicom
from seglib.errors import SegError
from seglib.io.archive import open_source
from tests.layouts.dicom import (
    OPTIONS,
    build,
    nifti_affine,
    outlines,
    scan,
    write_segments,
    write_series,
    write_structures,
)
from tests.layouts.msd import write

IMAGE, MASK = scan(5)
OTHER = np.roll(MASK, 4, axis=2)
"""Overlaps with MASK."""


def options(**changes: object) -> dicom.Params:
    return dicom.Params.model_validate({**OPTIONS, "take": "volume", **changes})


def patient(root: Path, name: str = "p1") -> Path:
    """A patient with a structure set of two ROIs that overlap."""
    slices = write_series(root / name / "CT", name, IMAGE)
    write_structures(root / name / "rs.dcm", slices, {"GTV": outlines(MASK, slices), "Heart": outlines(OTHER, slices)})
    return root / name


def masks(root: Path, params: dicom.Params) -> list[np.ndarray]:
    """Read all samples, in the columns of the slices as they were written."""
    spec = dicom.spec(root, params)
    return [sample.read(spec)[1][:, :, ::-1] for sample in dicom.samples(root, params)]


def names(root: Path, params: dicom.Params) -> list[str]:
    return [entry.name for entry in dicom.spec(root, params).classes]


def test_every_kind_of_mask_gives_its_voxels(tmp_path):
    build(tmp_path)
    assert names(tmp_path, options()) == ["background", "GTV_1"]
    found = masks(tmp_path, options())
    assert len(found) == 4
    for number, mask in enumerate(found):
        assert (mask == scan(number)[1]).all()


def test_a_series_is_a_volume_of_its_patient(tmp_path):
    build(tmp_path)
    samples = dicom.samples(tmp_path, options())
    assert [sample.group for sample in samples] == [f"LUNG1-00{i}" for i in (1, 2, 3, 4)]
    assert all(sample.id.startswith(f"{sample.group}-") for sample in samples)
    assert samples[0].spacing == (2.5, 0.8, 0.9)
    slices = dicom.samples(tmp_path, options(take="axial"))
    assert [sample.volume for sample in slices[::3]] == [sample.id for sample in samples]


def test_folder_archive_and_stripped_folder_give_the_same(tmp_path):
    build(tmp_path / "data")
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for file in sorted((tmp_path / "data").rglob("*"), reverse=True):
            archive.write(file, file.relative_to(tmp_path / "data"))
    roots = (tmp_path / "data", tmp_path / "data/NSCLC", open_source(tmp_path / "data.zip"))
    listings = [[(one.id, one.group, one.fingerprint()) for one in dicom.samples(root, options())] for root in roots]
    assert listings[0] == listings[1] == listings[2]


def test_without_a_patient_id_the_folder_tells_the_group(tmp_path):
    for name in ("a", "b"):
        slices = write_series(tmp_path / "top" / name / "CT", name, IMAGE, PatientID="")
        write_structures(tmp_path / "top" / name / "rs.dcm", slices, {"GTV": outlines(MASK, slices)})
    assert [sample.group for sample in dicom.samples(tmp_path, options())] == ["a", "b"]


def test_a_changed_mask_or_slice_changes_the_fingerprint(tmp_path):
    folder = patient(tmp_path)
    prints = {dicom.samples(tmp_path, options())[0].fingerprint()}
    for name, tag in (("rs.dcm", "StructureSetLabel"), ("CT/000002.dcm", "StudyID")):
        dataset = pydicom.dcmread(folder / name)
        setattr(dataset, tag, "changed")
        dataset.save_as(folder / name)
        prints.add(dicom.samples(tmp_path, options())[0].fingerprint())
    assert len(prints) == 3


def test_classes_are_all_regions_or_those_listed_in_their_order(tmp_path):
    patient(tmp_path)
    assert names(tmp_path, options()) == ["background", "GTV", "Heart"]
    assert names(tmp_path, options(classes=["Heart", "GTV"])) == ["background", "Heart", "GTV"]
    (only,) = masks(tmp_path, options(classes=["Heart"]))
    assert (only == OTHER).all()


def test_of_listed_classes_that_overlap_the_later_wins(tmp_path):
    patient(tmp_path)
    (mask,) = masks(tmp_path, options(classes=["GTV", "Heart"]))
    assert (mask == np.where(OTHER, 2, MASK)).all()
    (mask,) = masks(tmp_path, options(classes=["Heart", "GTV"]))
    assert (mask == np.where(MASK, 2, OTHER)).all()


def test_classes_that_are_found_must_not_overlap(tmp_path):
    patient(tmp_path)
    with pytest.raises(SegError, match=r"'Heart' overlaps with 'GTV'; set data.dicom.overlapping, or list"):
        masks(tmp_path, options())


def test_overlapping_classes_are_bits(tmp_path):
    patient(tmp_path)
    assert dicom.spec(tmp_path, options(overlapping=True)).overlapping
    (mask,) = masks(tmp_path, options(overlapping=True))
    assert (mask == MASK + 2 * OTHER).all()


def test_more_classes_than_can_overlap_are_told(tmp_path):
    listed = [f"organ {i}" for i in range(8)]
    with pytest.raises(SegError, match=r"8 classes .* at most 7 can overlap"):
        dicom.spec(tmp_path, options(overlapping=True, classes=listed))


def test_a_class_that_no_mask_has_is_told_with_the_nearest(tmp_path):
    patient(tmp_path)
    with pytest.raises(SegError, match=r"no mask has 'GTV1'; did you mean 'GTV'\?"):
        dicom.samples(tmp_path, options(classes=["GTV1"]))


def test_a_series_without_mask_is_left_out_with_a_note(tmp_path, capsys):
    patient(tmp_path)
    write_series(tmp_path / "p2/CT", "p2", IMAGE)
    assert [sample.group for sample in dicom.samples(tmp_path, options())] == ["p1"]
    assert "left out, for it has no mask with one of the classes: p2/CT" in capsys.readouterr().err


def test_a_localizer_without_mask_does_no_harm(tmp_path):
    folder = patient(tmp_path)
    write_series(folder / "scout", "p1", IMAGE[:2], SeriesInstanceUID="1.2.3")
    file = folder / "scout/000001.dcm"
    dataset = pydicom.dcmread(file)
    dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    dataset.save_as(file)
    assert len(dicom.samples(tmp_path, options())) == 1


def test_anonymized_references_fall_back_to_the_frame_and_the_nearest_folder(tmp_path):
    for modality in ("CT", "MR", "PT"):
        slices = write_series(tmp_path / modality / "image", "p", IMAGE, modality=modality)
        roi = {f"GTV_{modality}": outlines(MASK, slices)}
        write_structures(tmp_path / modality / "mask/rs.dcm", slices, roi, series="9.9.9")
    for modality, kind in (("CT", "ct"), ("MR", "mri"), ("PT", "pet")):
        assert names(tmp_path, options(modality=kind)) == ["background", f"GTV_{modality}"]
        assert len(dicom.samples(tmp_path, options(modality=kind))) == 1


def test_a_mask_that_may_belong_to_several_series_is_told(tmp_path):
    for modality in ("CT", "PT"):
        slices = write_series(tmp_path / modality, "p", IMAGE, modality=modality)
    write_structures(tmp_path / "rs.dcm", slices, {"GTV": outlines(MASK, slices)}, series="9.9.9")
    with pytest.raises(SegError, match=r"rs.dcm: may belong to CT \(series .*\), PT \(series .*put it into the folder"):
        dicom.samples(tmp_path, options())


def test_a_region_in_two_masks_of_a_series_is_told(tmp_path):
    folder = patient(tmp_path)
    shutil.copy(folder / "rs.dcm", folder / "rs2.dcm")
    with pytest.raises(SegError, match=r"'GTV' stands in several masks: .*rs.dcm, .*rs2.dcm"):
        dicom.samples(tmp_path, options())


def test_masks_of_one_series_are_taken_together(tmp_path):
    slices = write_series(tmp_path / "CT", "p", IMAGE)
    write_structures(tmp_path / "rs.dcm", slices, {"GTV": outlines(MASK, slices)})
    write_segments(tmp_path / "seg.dcm", slices, {"Heart": OTHER})
    (mask,) = masks(tmp_path, options(overlapping=True))
    assert (mask == MASK + 2 * OTHER).all()


def test_a_segmentation_without_its_empty_slices_is_laid_on_the_series(tmp_path):
    partial = MASK.copy()
    partial[[0, 2]] = 0
    slices = write_series(tmp_path / "CT", "p", IMAGE)
    write_segments(tmp_path / "seg.dcm", slices, {"GTV": partial, "Heart": OTHER * 0 + 1})
    (mask,) = masks(tmp_path, options(classes=["GTV"]))
    assert (mask == partial).all()


def test_a_segmentation_of_other_slices_is_told(tmp_path):
    write_series(tmp_path / "CT", "p", IMAGE)
    slices = write_series(tmp_path / "other", "p", IMAGE)
    for one in slices:
        one.ImagePositionPatient = [0.123, 0, one.ImagePositionPatient[2]]
    shutil.rmtree(tmp_path / "other")
    write_segments(tmp_path / "seg.dcm", slices, {"GTV": MASK})
    with pytest.raises(SegError, match=r"seg.dcm: its segments cannot be laid on the grid of CT"):
        masks(tmp_path, options())


def test_nifti_files_are_regions_by_name(tmp_path):
    write_series(tmp_path / "p/CT", "p", IMAGE)
    for name, mask in (("GTV", MASK * 255), ("Heart", OTHER)):
        write(tmp_path / f"p/masks/{name}.nii.gz", mask.transpose(2, 1, 0), nifti_affine())
    assert names(tmp_path, options()) == ["background", "GTV", "Heart"]
    (mask,) = masks(tmp_path, options(overlapping=True))
    assert (mask == MASK + 2 * OTHER).all()


def test_one_nifti_file_is_a_map_of_the_listed_labels(tmp_path):
    write_series(tmp_path / "CT", "p", IMAGE)
    labels = np.where(OTHER, 2, MASK).astype(np.uint8)
    write(tmp_path / "CT/label/Label.nii.gz", labels.transpose(2, 1, 0), nifti_affine())
    (mask,) = masks(tmp_path, options(classes=["GTV", "Heart"]))
    assert (mask == labels).all()
    with pytest.raises(SegError, match=r"Label.nii.gz: holds the values 1, 2, but 1 of them have a name"):
        masks(tmp_path, options())


def test_a_misnamed_nifti_file_is_no_map_of_labels(tmp_path):
    write_series(tmp_path / "CT", "p", IMAGE)
    write(tmp_path / "mask/spinal_cord.nii.gz", MASK.transpose(2, 1, 0), nifti_affine())
    with pytest.raises(SegError, match=r"spinal_cord.nii.gz: is called like none .* did you mean 'SpinalCord'"):
        dicom.samples(tmp_path, options(classes=["GTV", "SpinalCord"]))


def test_two_nifti_files_of_one_name_are_told(tmp_path):
    write_series(tmp_path / "CT", "p", IMAGE)
    for suffix in (".nii", ".nii.gz"):
        write(tmp_path / f"mask/GTV-1{suffix}", MASK.transpose(2, 1, 0), nifti_affine())
    with pytest.raises(SegError, match=r"two files for 'GTV-1': .*GTV-1.nii and .*GTV-1.nii.gz; keep one"):
        dicom.samples(tmp_path, options())


def test_a_nifti_mask_on_another_grid_is_told(tmp_path):
    write_series(tmp_path / "CT", "p", IMAGE)
    write(tmp_path / "mask/GTV.nii.gz", MASK.transpose(2, 1, 0))
    with pytest.raises(SegError, match=r"CT \(series .*\) and .*GTV.nii.gz have the same shape, but"):
        masks(tmp_path, options())


def test_a_dicom_mask_goes_before_a_nifti_twin(tmp_path):
    folder = patient(tmp_path)
    write(folder / "mask/twin.nii.gz", OTHER.transpose(2, 1, 0), nifti_affine())
    assert names(tmp_path, options()) == ["background", "GTV", "Heart"]


@pytest.mark.parametrize(
    ("modality", "message"),
    [("mri", "no DICOM series of mri, found ct; set data.dicom.modality"), ("ct", "but no RTSTRUCT or SEG refers")],
)
def test_data_without_images_or_masks_is_told(tmp_path, modality, message):
    write_series(tmp_path / "CT", "p", IMAGE)
    with pytest.raises(SegError, match=message):
        dicom.samples(tmp_path, options(modality=modality))


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(SegError, match="no DICOM series of ct, found no images at all"):
        dicom.samples(tmp_path, options())


@pytest.mark.parametrize(
    ("modality", "name", "shape", "voxels"),
    [
        ("ct", "GTV_Mass_CT", (59, 202, 198), 117145),
        ("mri", "GTV_Mass_MR_T1", (59, 158, 174), 117145),
        ("pet", "GTV_Mass_PET", (59, 43, 41), 5095),
    ],
)
def test_the_published_patient_loads_from_the_archive_as_it_is(real_data, modality, name, shape, voxels):
    root = open_source(real_data / "STS_001.zip")
    params = options(modality=modality)
    spec = dicom.spec(root, params)
    assert [entry.name for entry in spec.classes] == ["background", name]
    (sample,) = dicom.samples(root, params)
    assert sample.group == "STS_001"
    image, mask = sample.read(spec)
    assert (image.shape, int(mask.sum())) == ((*shape, 1), voxels)
