"""Published archives as they are, read as a user would name them."""

import tarfile
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine

from seglib.config import parse
from seglib.datasets import dicom, kvasir, msd
from seglib.inputs import Input, Unread, open_inputs, write_volume
from seglib.io.archive import open_source
from tests.archives import unpack
from tests.model_cards import card


def inputs(path: Path | str, to: Any) -> list[Input]:
    found = list(open_inputs([str(path)], to))
    assert not [item for item in found if isinstance(item, Unread)]
    return [item for item in found if isinstance(item, Input)]


def test_kvasir_by_its_zip_and_by_a_folder_of_it(tmp_path, real_data):
    archive = real_data / "kvasir-seg.zip"
    found = {item.name: item for item in inputs(archive, card())}
    assert len(found) == 2 * 697
    for sample in islice(kvasir.samples(open_source(archive), parse(kvasir.Params, {"threshold": 127}, "kvasir")), 3):
        assert (found[f"Kvasir-SEG/images/{sample.id}"].read().image == sample.image()).all()
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path, packed.namelist()[:20])
    (folder,) = tmp_path.glob("*/images")
    for item in inputs(folder, card()):
        assert (item.read().image == found[f"Kvasir-SEG/images/{item.name}"].read().image).all()


def test_the_nuclei_in_their_nested_archive_are_told_and_read_where_it_is_named(tmp_path, real_data):
    archive = real_data / "data-science-bowl-2018.zip"
    (nested,) = open_inputs([str(archive)], card())
    assert isinstance(nested, Unread)
    assert "not opened; name it itself" in nested.reason
    with zipfile.ZipFile(archive) as packed:
        packed.extract(nested.name, tmp_path)
    images = [item for item in inputs(tmp_path / nested.name, card()) if "/images/" in f"/{item.name}"]
    assert len(images) == 203
    pixels = images[0].read()
    assert (pixels.image.dtype, pixels.image.shape[2]) == (np.uint8, 3)


def test_hippocampi_come_back_into_their_place(tmp_path, real_data):
    archive = real_data / "Task04_Hippocampus.tar"
    with tarfile.open(archive) as packed:
        for name in [name for name in packed.getnames() if "imagesTr/hippocampus" in name][:3]:
            unpack(packed, name, tmp_path)
    options = parse(msd.Params, {"take": "volume"}, "msd")
    samples = {sample.id: sample for sample in msd.samples(open_source(archive), options)}
    for item in inputs(tmp_path, card(channels=1, modality="mri", types=["float32"])):
        pixels, sample = item.read(), samples[item.name.rpartition("/")[2]]
        assert (pixels.image == sample.image()).all()
        assert pixels.spacing == sample.spacing
        assert pixels.place is not None
        write_volume(tmp_path / "mask.nii.gz", sample.mask(), pixels.place)
        mask: Any = nibabel.load(tmp_path / "mask.nii.gz")
        image: Any = nibabel.load(tmp_path / f"{item.name}.nii.gz")
        assert (mask.affine == image.affine).all()
        with tarfile.open(archive) as packed:
            file = unpack(packed, f"Task04_Hippocampus/labelsTr/{sample.id}.nii.gz", tmp_path / "labels")
        assert (np.asarray(mask.dataobj) == np.asarray(nibabel.load(file).dataobj)).all()  # pyright: ignore


@pytest.mark.parametrize("modality", ["ct", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mri", "pet"))])
def test_the_series_of_a_patient_come_back_into_their_place(tmp_path, real_data, modality):
    """The archive's own NIfTI files of the same series say where the voxels lie."""
    archive = real_data / "STS_001.zip"
    found = list(open_inputs([str(archive)], card(channels=1, modality=modality, types=["int16"])))
    series = [item for item in found if isinstance(item, Input) and "dicom" in item.name]
    others = [item for item in found if isinstance(item, Unread)]
    assert (len(series), len(others)) == (1, 2)
    assert all(f"but the model was trained on {modality}" in other.reason for other in others)
    pixels = series[0].read()
    options = {"modality": modality, "classes": [], "overlapping": False, "take": "volume"}
    (sample,) = dicom.samples(open_source(archive), parse(dicom.Params, options, "dicom"))
    assert (pixels.image == sample.image()).all()
    assert pixels.place is not None
    write_volume(tmp_path / "mask.nii.gz", sample.mask(), pixels.place)
    (twin,) = [item for item in found if item.name == series[0].name.replace("dicom/image", "nifti/image/image")]
    assert isinstance(twin, Input)
    place = twin.read().place
    assert place is not None
    write_volume(tmp_path / "twin.nii.gz", sample.mask(), place)
    here, there = (labelled(tmp_path / name) for name in ("mask.nii.gz", "twin.nii.gz"))
    assert here == pytest.approx(there, abs=0.01)


def labelled(file: Path) -> np.ndarray:
    """First, last and mean place of the labels, in mm."""
    image: Any = nibabel.load(file)
    places = apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj)))
    return np.stack([places.min(0), places.max(0), places.mean(0)])
