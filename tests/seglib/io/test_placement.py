"""A mask lies where its image lies, voxel by voxel, whatever the order of the file."""

import gzip
from itertools import permutations, product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from nibabel.affines import apply_affine

from seglib.errors import SegError
from seglib.io import scans
from seglib.io.placement import Placement, write_volume
from seglib.io.volumes import Arrangement

SHAPE = (4, 5, 6)
ORIENTATIONS = list(product(permutations(range(3)), product((1, -1), repeat=3)))


def oblique(axes: tuple[int, ...], signs: tuple[int, ...], angles: tuple[float, ...]) -> np.ndarray:
    """Anisotropic voxels in an order and direction, turned by angles around all axes, away from the origin."""
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, list(axes)] * np.array(signs) * (0.7, 1.3, 4.9)
    for axis, angle in enumerate(angles):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(4)
        turn[[one, one, other, other], [one, other, one, other]] = (
            *(np.cos(angle), -np.sin(angle)),
            *(np.sin(angle), np.cos(angle)),
        )
        affine = turn @ affine
    affine[:3, 3] = -13.25, 7.5, 101.125
    return affine


def read_and_write_back(file: Path, out: Path) -> Any:
    """The image's own labels, written as if they were a mask of it."""
    image = scans.image_reader(file, measured=False)()[..., 0]
    write_volume(out, image.astype(np.uint8), Placement.of(scans.read_header(file).arrangement))
    return nibabel.load(out)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS[::5])
def test_a_nifti_volume_comes_back_exactly(tmp_path, axes, signs, suffix):
    labels = np.random.default_rng(0).integers(0, 9, SHAPE).astype(np.uint8)
    original = nibabel.Nifti1Image(labels, oblique(axes, signs, (0.2, -0.3, 0.1)))
    nibabel.save(original, tmp_path / "image.nii.gz")
    stored = nibabel.load(tmp_path / "image.nii.gz")
    written = read_and_write_back(tmp_path / "image.nii.gz", tmp_path / f"mask{suffix}")
    assert (np.asarray(written.dataobj) == labels).all()
    assert (written.affine == stored.affine).all()  # pyright: ignore
    assert written.get_data_dtype() == np.uint8
    assert written.header.get_zooms() == stored.header.get_zooms()  # pyright: ignore
    assert written.header.get_xyzt_units()[0] == "mm"


def places_of(label: int, image: Any) -> np.ndarray:
    """Millimetres, [voxel, 3]."""
    return apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj) == label))


def test_a_volume_placed_by_its_quaternion_keeps_the_world_coordinates_of_its_labels(tmp_path):
    labels = np.random.default_rng(1).integers(0, 3, SHAPE).astype(np.uint8)
    original = nibabel.Nifti1Image(labels, np.eye(4))
    original.set_qform(oblique((2, 0, 1), (1, -1, -1), (0.4, 0.1, -0.2)), code=1)
    original.set_sform(None, code=0)
    nibabel.save(original, tmp_path / "image.nii")
    written = read_and_write_back(tmp_path / "image.nii", tmp_path / "mask.nii")
    for label in range(3):
        expected = places_of(label, nibabel.load(tmp_path / "image.nii"))
        assert len(expected) > 20
        assert places_of(label, written) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS[::7])
def test_itk_finds_each_label_of_its_volume_where_it_was(tmp_path, axes, signs, suffix):
    """ITK reads both files: an implementation of the same geometry that is not ours."""
    labels = np.random.default_rng(2).integers(0, 5, SHAPE).astype(np.uint8)
    image: Any = SimpleITK.GetImageFromArray(labels)
    affine = oblique(axes, signs, (0.1, 0.25, -0.3))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    SimpleITK.WriteImage(image, str(tmp_path / f"image{suffix}"))
    read_and_write_back(tmp_path / f"image{suffix}", tmp_path / "mask.nii.gz")
    mask = SimpleITK.ReadImage(str(tmp_path / "mask.nii.gz"))
    assert mask.GetSize() == image.GetSize()
    for index in ((0, 0, 0), (5, 0, 0), (0, 4, 0), (0, 0, 3), (2, 3, 1)):
        there = mask.TransformPhysicalPointToIndex(image.TransformIndexToPhysicalPoint(index))
        assert mask[there] == image[index]
        assert there == index


@given(st.sampled_from(ORIENTATIONS), st.tuples(*[st.floats(-0.5, 0.5)] * 3), st.tuples(*[st.integers(1, 5)] * 3))
def test_what_was_arranged_goes_back(orientation, angles, shape):
    axes, signs = orientation
    affine = oblique(axes, signs, angles)
    stored = np.arange(np.prod(shape)).reshape(shape)
    arrangement = Arrangement.of(shape, affine, "here")
    place = Placement.of(arrangement)
    assert (place.stored(arrangement.apply(stored)) == stored).all()
    assert place.affine == pytest.approx(affine, abs=1e-9)


def test_equal_masks_are_equal_bytes(tmp_path):
    place = Placement.of(Arrangement.of(SHAPE, np.eye(4), "here"))
    for name in ("a.nii.gz", "b.nii.gz"):
        write_volume(tmp_path / name, np.ones((6, 5, 4), np.uint8), place)
    first, second = (tmp_path / "a.nii.gz").read_bytes(), (tmp_path / "b.nii.gz").read_bytes()
    assert first == second
    assert len(gzip.decompress(first)) == 352 + 120


def test_probabilities_keep_their_type(tmp_path):
    place = Placement.of(Arrangement.of(SHAPE, np.diag([2.0, 1, 1, 1]), "here"))
    write_volume(tmp_path / "a.nii", np.full((6, 5, 4), 0.1, np.float32), place)
    assert (np.asarray(nibabel.load(tmp_path / "a.nii").dataobj) == np.float32(0.1)).all()  # pyright: ignore


def test_another_suffix_is_refused(tmp_path):
    place = Placement.of(Arrangement.of(SHAPE, np.eye(4), "here"))
    with pytest.raises(SegError, match=r"a\.png: a volume is written as NIfTI"):
        write_volume(tmp_path / "a.png", np.ones((6, 5, 4), np.uint8), place)


def test_a_volume_that_is_too_long_for_the_format_is_refused(tmp_path):
    place = Placement((2, 1, 0), (False, False, False), np.eye(4))
    with pytest.raises(SegError, match=r"a\.nii: cannot be written as NIfTI \(.*; crop or resample the volume"):
        write_volume(tmp_path / "a.nii", np.ones((1, 2, 32_768), np.uint8), place)
