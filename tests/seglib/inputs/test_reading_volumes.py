"""Volumes and series are read as training reads them, and know how a mask goes back into their place."""

import gzip
import io
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from nibabel.affines import apply_affine
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from seglib.config import parse
from seglib.datasets import dicom, folder
from seglib.errors import SegError
from seglib.inputs import Input, Pixels, open_inputs, write_volume
from seglib.inputs.reading import read_volume
from seglib.io.nifti import read_labels
from tests.layouts import dicom as series
from tests.layouts import folder as layouts
from tests.layouts.msd import write
from tests.model_cards import card

CT = card(channels=1, modality="ct", types=["int16"])
VOXELS = np.random.default_rng(0).integers(-1000, 1000, (7, 6, 5)).astype(np.int16)
SPACING = np.diag([0.7, 1.5, 4.0, 1.0])
OBLIQUE = np.array([[0.6, 0.1, -1.0, 7], [0.0, -1.4, 0.9, -8], [0.4, 0.2, 3.7, 9], [0, 0, 0, 1]])


def refused(said: str, read) -> None:
    with pytest.raises(SegError, match=said):
        read()


def test_a_volume_is_arranged_as_the_training_sample(tmp_path):
    write(tmp_path / "images/a.nii.gz", VOXELS, OBLIQUE)
    write(tmp_path / "masks/a.nii.gz", np.where(VOXELS > 0, 255, 0).astype(np.uint8), OBLIQUE)
    options = {**layouts.OPTIONS, "channels": 1, "group": "", "modality": "ct", "take": "volume"}
    (sample,) = folder.samples(tmp_path, parse(folder.Params, options, "data.folder"))
    found = read_volume(tmp_path / "images/a.nii.gz", CT)
    assert (found.image == sample.image()).all()
    assert (found.image.dtype, found.spacing) == (np.int16, sample.spacing)
    assert found.place is not None
    write_volume(tmp_path / "written.nii.gz", 255 * sample.mask(), found.place)
    written, mask = (nibabel.load(tmp_path / name) for name in ("written.nii.gz", "masks/a.nii.gz"))
    assert (np.asarray(written.dataobj) == np.asarray(mask.dataobj)).all()  # pyright: ignore
    assert (written.affine == mask.affine).all()  # pyright: ignore


def test_voxels_need_not_be_cubes(tmp_path):
    write(tmp_path / "a.nii", VOXELS, SPACING)
    assert read_volume(tmp_path / "a.nii", CT).spacing == (4.0, 1.5, 0.7)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha"])
def test_what_a_scanner_measured_is_no_bytes_but_a_photograph_is(tmp_path, name):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOXELS.astype(np.uint8)), str(tmp_path / name))
    for modality in ("ct", "mri", "pet"):
        for types in (["int16"], ["float32", "int16"]):
            scans = card(channels=1, modality=modality, types=types)
            assert read_volume(tmp_path / name, scans).image.dtype == np.int16
    assert read_volume(tmp_path / name, card(channels=1, modality="microscopy")).image.dtype == np.uint8


@pytest.mark.parametrize("modality", ["ct", "mri", "pet"])
def test_a_model_that_learnt_scans_from_bytes_takes_bytes(tmp_path, modality):
    bytes_only = card(channels=1, modality=modality)
    for name, values in (("a.nii", VOXELS.astype(np.uint8)), ("b.nii", VOXELS)):
        write(tmp_path / name, values, SPACING)
    assert read_volume(tmp_path / "a.nii", bytes_only).image.dtype == np.uint8
    refused(
        "b.nii: holds int16 values, but the model was trained on uint8",
        lambda: read_volume(tmp_path / "b.nii", bytes_only),
    )


def test_a_file_of_two_axes_is_an_image(tmp_path):
    picture: Any = SimpleITK.GetImageFromArray(VOXELS[0])
    picture.SetSpacing((0.5, 0.75))
    SimpleITK.WriteImage(picture, str(tmp_path / "a.mha"))
    found = read_volume(tmp_path / "a.mha", CT)
    assert (found.image[..., 0] == VOXELS[0]).all()
    assert (found.spacing, found.place) == ((0.75, 0.5), None)
    refused("a.mha: has two axes, but the model was", lambda: read_volume(tmp_path / "a.mha", card(channels=1, dims=3)))


@pytest.mark.parametrize("channels", [2, 3])
def test_other_channels_are_refused(tmp_path, channels):
    write(tmp_path / "a.nii", np.stack([VOXELS] * channels, axis=-1), SPACING)
    refused(
        rf"a.nii: has {channels} channels, but the model was trained on 1", lambda: read_volume(tmp_path / "a.nii", CT)
    )
    several = card(channels=channels, modality="ct", types=["int16"])
    assert read_volume(tmp_path / "a.nii", several).image.shape == (5, 6, 7, channels)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_voxels_that_are_not_finite_are_refused(tmp_path, odd):
    values = VOXELS.astype(np.float32)
    values[0, :2, 0] = odd
    write(tmp_path / "a.nii", values, SPACING)
    refused(r"a.nii: 2 of 210 values are not finite \(NaN or infinite\)", lambda: read_volume(tmp_path / "a.nii", CT))


def test_what_is_too_large_for_a_voxel_is_refused(tmp_path):
    write(tmp_path / "a.nii", np.full((2, 2, 2), 1e300), SPACING)
    refused(r"a.nii: 8 of 8 values are not finite", lambda: read_volume(tmp_path / "a.nii", CT))


@pytest.mark.parametrize("length", [0, 100, 400, -10])
def test_truncated_volumes_are_refused(tmp_path, length):
    write(tmp_path / "a.nii", VOXELS, SPACING)
    content = (tmp_path / "a.nii").read_bytes()[:length]
    for name, cut in (
        ("b.nii", content),
        ("b.nii.gz", gzip.compress(content)),
        ("c.nii.gz", gzip.compress(content)[:-9]),
    ):
        (tmp_path / name).write_bytes(cut)
        refused(f"{name}: not a readable NIfTI volume", lambda name=name: read_volume(tmp_path / name, CT))


def test_a_volume_that_says_to_be_too_large_is_refused_by_its_header(tmp_path):
    header = nibabel.Nifti1Header()
    header.set_data_shape((2000, 2000, 2000))
    header.set_data_dtype(np.int16)
    header.set_sform(SPACING, code=1)
    (tmp_path / "a.nii").write_bytes(header.binaryblock + bytes(200))
    refused("2,000×2,000×2,000×1 values; at most 1,073,741,824 are read", lambda: read_volume(tmp_path / "a.nii", CT))


def test_an_image_called_a_volume_is_refused(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(600))
    refused("a.nii: not a readable NIfTI volume", lambda: read_volume(tmp_path / "a.nii", CT))


def one(path: Path, to=CT) -> Pixels:
    (found,) = open_inputs([str(path)], to)
    assert isinstance(found, Input), found
    return found.read()


def test_a_series_is_read_in_hounsfield_units_as_for_training(tmp_path):
    options = series.build(tmp_path)
    given = parse(dicom.Params, {**options, "take": "volume"}, "data.dicom")
    for sample in dicom.samples(tmp_path, given):
        found = one(tmp_path / "NSCLC" / sample.group / "CT")
        assert (found.image == sample.image()).all()
        assert (found.image.dtype, found.spacing) == (np.int16, sample.spacing)


def test_the_mask_of_a_series_lies_where_its_slices_do(tmp_path):
    voxels, mask = series.scan(0)
    series.write_series(tmp_path / "CT", "p", voxels)
    found = one(tmp_path / "CT")
    assert found.place is not None
    write_volume(tmp_path / "mask.nii.gz", mask[:, :, ::-1], found.place)
    write(tmp_path / "known.nii.gz", mask.transpose(2, 1, 0), series.nifti_affine())
    assert (read_labels(tmp_path / "mask.nii.gz") == read_labels(tmp_path / "known.nii.gz")).all()
    placed, known = (millimetres(tmp_path / name) for name in ("mask.nii.gz", "known.nii.gz"))
    assert placed == pytest.approx(known, abs=1e-4)


def millimetres(file: Path) -> np.ndarray:
    """Where the voxels of a mask lie, [voxel, 3], sorted."""
    image: Any = nibabel.load(file)
    places = apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj)))
    return places[np.lexsort(places.round(2).T)]


def test_ends_of_an_oblique_series_are_those_of_its_headers(tmp_path):
    turned = [0.8, 0.6, 0, -0.6, 0.8, 0]
    voxels = series.scan(0)[0]
    series.write_series(tmp_path / "CT", "p", voxels, ImageOrientationPatient=turned)
    place = one(tmp_path / "CT").place
    assert place is not None
    down, right = series.SPACING[1:]
    last = np.array([series.CORNER[0], series.CORNER[1], series.CORNER[2] + 2 * series.SPACING[0]])
    last = last + 47 * right * np.array(turned[:3]) + 39 * down * np.array(turned[3:])
    assert (place.affine @ (2, 39, 47, 1))[:3] == pytest.approx(last * (-1, -1, 1))


def broken(folder: Path, **tags: Any) -> None:
    series.write_series(folder, "p", series.scan(0, 5)[0])
    dataset = pydicom.dcmread(folder / "000002.dcm")
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.save_as(folder / "000002.dcm")


def test_a_missing_slice_is_told(tmp_path):
    broken(tmp_path / "CT")
    (tmp_path / "CT/000002.dcm").unlink()
    refused("slices are missing, or several stacks are in one series", lambda: one(tmp_path / "CT"))


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"NumberOfFrames": 4}, "000002.dcm: holds several frames or colours"),
        ({"Rows": 20}, "slices of several sizes"),
        ({"ImagePositionPatient": None}, "000002.dcm: has no usable ImagePositionPatient"),
    ],
)
def test_slices_that_do_not_fit_are_told(tmp_path, tags, said):
    broken(tmp_path / "CT", **tags)
    refused(said, lambda: one(tmp_path / "CT"))


def test_a_compressed_slice_without_decoder_is_told_with_what_to_install(tmp_path):
    series.write_series(tmp_path / "CT", "p", series.scan(0)[0])
    dataset = pydicom.dcmread(io.BytesIO((tmp_path / "CT/000002.dcm").read_bytes()))
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([b"no image"])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(tmp_path / "CT/000002.dcm")
    refused("000002.dcm: its pixels .* cannot be decoded .*pip install", lambda: one(tmp_path / "CT"))


def test_a_series_for_a_model_of_colours_is_refused(tmp_path):
    series.write_series(tmp_path / "CT", "p", series.scan(0)[0])
    refused("has 1 channel, but the model was trained on 3", lambda: one(tmp_path / "CT", card(modality="ct")))


def test_too_many_voxels_are_refused_by_the_headers(tmp_path):
    series.write_series(tmp_path / "CT", "p", series.scan(0)[0], Rows=30_000, Columns=30_000)
    refused(r"3×30,000×30,000 values; at most 1,073,741,824", lambda: one(tmp_path / "CT"))
