"""The Decathlon's tasks: what `dataset.json` declares, and the volumes that it names."""

import json
import tarfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from seglib.datasets import msd
from seglib.errors import SegError
from seglib.io.archive import open_source
from tests.layouts.msd import build

AXIAL = msd.Params(take="axial")


@pytest.fixture
def task(tmp_path: Path) -> Path:
    build(tmp_path)
    return tmp_path / "Task04_Hippocampus"


def change(task: Path, **keys: object) -> None:
    file = task / "dataset.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **keys}))


def read(task: Path) -> None:
    msd.spec(task, AXIAL)
    msd.samples(task, AXIAL)


def test_the_index_declares_classes_channels_modality_and_terms(task):
    spec = msd.spec(task, AXIAL)
    assert [entry.name for entry in spec.classes] == ["background", "Anterior", "Posterior"]
    assert (spec.channels, spec.modality, spec.licence, spec.overlapping) == (1, "mri", "CC-BY-SA 4.0", False)
    assert "Vanderbilt" in spec.citation


def test_slices_of_a_volume_are_a_group(task):
    samples = msd.samples(task, AXIAL)
    assert [sample.id for sample in samples] == [
        f"hippocampus_{number:03d}-axial-{z:04d}" for number in (1, 3, 4, 6, 7) for z in (0, 1)
    ]
    assert all(sample.group == sample.volume == sample.id[:15] for sample in samples)
    image, mask = samples[0].read(msd.spec(task, AXIAL))
    assert image.shape == (40, 48, 1)
    assert set(np.unique(mask)) <= {0, 1, 2}


def test_bytes_and_floats_are_both_a_scan(task):
    assert {str(sample.image().dtype) for sample in msd.samples(task, AXIAL)} == {"int16", "float32"}


def test_whole_volumes(task):
    samples = msd.samples(task, msd.Params(take="volume"))
    assert len(samples) == 5
    assert samples[0].read(msd.spec(task, AXIAL))[0].shape == (2, 40, 48, 1)
    assert samples[0].spacing == (1, 1, 1)


def test_tar_folder_and_stripped_folder_give_the_same(task, tmp_path):
    with tarfile.open(tmp_path / "task.tar", "w") as archive:
        archive.add(task, task.name)
    roots = (task.parent, task, open_source(tmp_path / "task.tar"))
    listings = [[(one.id, one.fingerprint()) for one in msd.samples(root, AXIAL)] for root in roots]
    assert listings[0] == listings[1] == listings[2]


def test_several_sequences_are_channels(task):
    change(task, modality={"0": "FLAIR", "1": "T1w"})
    for file in (task / "imagesTr").glob("hip*"):
        voxels = np.asarray(nibabel.Nifti1Image.from_filename(file).dataobj)
        nibabel.save(nibabel.Nifti1Image(np.stack([voxels, voxels], axis=3), np.eye(4)), file)
    spec = msd.spec(task, AXIAL)
    assert (spec.channels, spec.modality) == (2, "mri")
    assert msd.samples(task, AXIAL)[0].read(spec)[0].shape == (40, 48, 2)


@pytest.mark.parametrize(("name", "modality"), [("CT", "ct"), ("MRI", "mri"), ("ADC", "mri"), ("PET", "pet")])
def test_the_modality_comes_from_the_index(task, name, modality):
    change(task, modality={"0": name})
    assert msd.spec(task, AXIAL).modality == modality


def test_labels_are_classes_in_the_order_of_their_numbers(task):
    change(task, labels={"2": "Posterior part", "0": "background", "1": "Anterior part"})
    names = [entry.name for entry in msd.spec(task, AXIAL).classes]
    assert names == ["background", "Anterior_part", "Posterior_part"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"modality": {"0": "CT", "1": "PET"}}, "channels of several modalities"),
        ({"modality": {"0": "FLAIR", "1": "T1w"}}, "hippocampus_001.nii.gz: has 1 channels, but .* declares 2"),
        ({"labels": {"1": "Anterior"}}, "declares no label 0"),
        ({"labels": ["background"]}, "is no index of the Decathlon"),
        ({"labels": {"0": "a", "300": "b"}}, "declares the labels 0, 300; give each its own number from 0 to 255"),
        ({"labels": {"0": "a", "-1": "b"}}, "declares the labels 0, -1"),
        ({"labels": {"0": "a", "1": "b", "01": "c"}}, "declares the labels 0, 1, 01"),
        ({"training": []}, "no training pairs"),
        ({"training": [{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}]}, "a.nii.gz: is named in"),
        ({"training": [{"image": "../a.nii.gz", "label": "b"}]}, "'../a.nii.gz' points outside"),
    ],
)
def test_a_wrong_index_is_told(task, keys, message):
    change(task, **keys)
    with pytest.raises(SegError, match=message):
        read(task)


def test_an_undeclared_label_is_told(task):
    change(task, labels={"0": "background", "1": "Anterior"})
    with pytest.raises(SegError, match=r"labelsTr/hippocampus_\d+.nii.gz: mask values outside the declared classes: 2"):
        [sample.mask() for sample in msd.samples(task, AXIAL)]


def test_a_folder_without_index_is_told(tmp_path):
    with pytest.raises(SegError, match="expected the folders imagesTr and labelsTr"):
        msd.spec(tmp_path, AXIAL)


def test_the_published_hippocampus(real_data):
    root = open_source(real_data / "Task04_Hippocampus.tar")
    spec = msd.spec(root, AXIAL)
    assert [entry.name for entry in spec.classes] == ["background", "Anterior", "Posterior"]
    volumes = msd.samples(root, msd.Params(take="volume"))
    assert len(volumes) == len({sample.group for sample in volumes}) == 160
    image, mask = volumes[0].read(spec)
    assert (volumes[0].id, image.shape, volumes[0].spacing) == ("hippocampus_001", (35, 51, 35, 1), (1, 1, 1))
    assert np.bincount(mask.ravel()).tolist()[1:] == [1324, 1624]
    assert len(msd.samples(root, AXIAL)) == 5713


def test_front_is_up_in_the_published_hippocampus(real_data):
    """The anterior part lies before the posterior one."""
    root = open_source(real_data / "Task04_Hippocampus.tar")
    mask = msd.samples(root, msd.Params(take="volume"))[0].mask()
    anterior, posterior = (np.argwhere(mask == label).mean(axis=0) for label in (1, 2))
    assert anterior[1] < posterior[1]
