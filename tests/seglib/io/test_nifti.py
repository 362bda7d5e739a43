"""NIfTI volumes are read into one arrangement, whatever the file's own."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.nifti import nifti_volume, read_header, read_image, read_labels, read_scan, read_volume
from tests.archives import pack

VOXELS = np.arange(60, dtype=np.int16).reshape(5, 4, 3) - 30
AFFINE = np.array([[0.5, 0, 0, 1], [0, 2, 0, -4], [0, 0, 3, 9], [0, 0, 0, 1]])


def save(path: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE, kind: type = nibabel.Nifti1Image) -> Path:
    nibabel.save(kind(voxels, affine), path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_an_image_stands_from_feet_to_head_front_to_back_left_to_right(tmp_path, name, kind):
    file = save(tmp_path / name, VOXELS, kind=kind)
    image = read_image(file)
    assert image.dtype == np.int16
    assert (image[..., 0] == VOXELS.transpose(2, 1, 0)[:, ::-1]).all()
    header = read_header(file)
    assert (header.grid.shape, header.grid.spacing, header.channels) == ((3, 4, 5), (3, 2, 0.5), 1)


def test_the_orientation_of_the_file_makes_no_difference(tmp_path):
    image = nibabel.Nifti1Image(VOXELS, AFFINE)
    expected = read_image(save(tmp_path / "ras.nii", VOXELS))
    for codes in ("LPS", "SAR", "PIR", "ILA"):
        change = nibabel.orientations.ornt_transform(
            nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(codes)
        )
        nibabel.save(image.as_reoriented(change.tolist()), tmp_path / f"{codes}.nii.gz")
        assert (read_image(tmp_path / f"{codes}.nii.gz") == expected).all()
        read_header(tmp_path / "ras.nii").grid.check(read_header(tmp_path / f"{codes}.nii.gz").grid, "a", "b")


def test_a_fourth_axis_is_channels(tmp_path):
    file = save(tmp_path / "a.nii.gz", np.stack([VOXELS, VOXELS + 1], axis=3))
    assert read_header(file).channels == 2
    image = read_image(file)
    assert image.shape == (3, 4, 5, 2)
    assert (image[..., 1] == image[..., 0] + 1).all()


def test_slope_and_intercept_are_applied(tmp_path):
    image = nibabel.Nifti1Image(VOXELS, AFFINE)
    image.header.set_slope_inter(1, -1024)
    nibabel.save(image, tmp_path / "whole.nii")
    assert read_image(tmp_path / "whole.nii").dtype == np.int16
    assert read_image(tmp_path / "whole.nii").min() == -1054
    image.header.set_slope_inter(0.25, 0)
    nibabel.save(image, tmp_path / "part.nii")
    assert read_image(tmp_path / "part.nii").dtype == np.float32
    assert read_image(tmp_path / "part.nii").min() == -7.5


def test_bytes_of_a_scan_become_int16(tmp_path):
    file = save(tmp_path / "a.nii", VOXELS.astype(np.uint8))
    assert read_image(file).dtype == np.uint8
    assert read_scan(file).dtype == np.int16


def test_the_header_is_read_without_the_voxels(tmp_path):
    voxels = np.random.default_rng(0).integers(0, 255, (5, 4, 300)).astype(np.uint8)
    content = save(tmp_path / "a.nii", voxels).read_bytes()
    (tmp_path / "cut.nii").write_bytes(content[:1000])
    (tmp_path / "cut.nii.gz").write_bytes(gzip.compress(content)[:3000])
    for name in ("cut.nii", "cut.nii.gz"):
        assert read_header(tmp_path / name).grid.shape == (300, 4, 5)
        with pytest.raises(SegError, match=f"{name}: not a readable NIfTI volume"):
            read_image(tmp_path / name)


def test_an_archive_reads_alike(tmp_path):
    content = save(tmp_path / "a.nii.gz", VOXELS).read_bytes()
    (tmp_path / "a.zip").write_bytes(pack({"x/a.nii.gz": content}))
    file = open_source(tmp_path / "a.zip") / "x/a.nii.gz"
    assert read_header(file).grid.shape == (3, 4, 5)
    assert (read_image(file) == read_image(tmp_path / "a.nii.gz")).all()


def test_the_raw_array_is_that_of_the_file(tmp_path):
    voxels, spacing = read_volume(save(tmp_path / "a.nii", VOXELS))
    assert voxels.dtype == np.int16
    assert (voxels == VOXELS).all()
    assert spacing == (0.5, 2, 3)


def test_labels_may_be_stored_as_floats(tmp_path):
    labels = read_labels(save(tmp_path / "a.nii", (VOXELS % 3).astype(np.float64)))
    assert labels.dtype == np.uint8
    assert (labels == (VOXELS % 3).transpose(2, 1, 0)[:, ::-1]).all()


@pytest.mark.parametrize("value", [0.5, -1.0, 256.0, np.nan])
def test_labels_that_are_none_are_told(tmp_path, value):
    file = save(tmp_path / "a.nii", np.full((5, 4, 3), value))
    with pytest.raises(SegError, match=rf"a.nii: mask values {value}; save whole numbers"):
        read_labels(file)


def test_a_mask_of_several_channels_is_told(tmp_path):
    with pytest.raises(SegError, match=r"a.nii: the mask has 2 values a voxel"):
        read_labels(save(tmp_path / "a.nii", np.stack([VOXELS, VOXELS], axis=3)))


def test_five_axes_are_told(tmp_path):
    file = save(tmp_path / "a.nii", np.zeros((5, 4, 3, 2, 2), np.uint8))
    with pytest.raises(SegError, match=r"a.nii: is an array of \(5, 4, 3, 2, 2\)"):
        read_header(file)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x1f\x8b damaged", gzip.compress(b"no volume", mtime=0)])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / "a.nii.gz").write_bytes(content)
    for read in (read_header, read_image, read_labels, read_volume):
        with pytest.raises(SegError, match=r"a.nii.gz: not a readable NIfTI volume"):
            read(tmp_path / "a.nii.gz")


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    file = save(tmp_path / "a.nii.gz", np.zeros((100, 100, 100), np.uint8))
    assert len(gzip.decompress(file.read_bytes())) > 200 * file.stat().st_size
    assert read_image(file).shape == (100, 100, 100, 1)
    monkeypatch.setattr("seglib.io.nifti.HARMLESS_BYTES", 1000)
    for read in (read_image, read_labels, read_volume):
        with pytest.raises(SegError, match=r"a.nii.gz: not a readable NIfTI volume .* a decompression bomb"):
            read(file)
    noise = np.random.default_rng(0).integers(0, 255, (20, 20, 20)).astype(np.uint8)
    assert read_image(save(tmp_path / "b.nii.gz", noise)).shape == (20, 20, 20, 1)


def test_a_header_that_promises_more_voxels_than_the_file_has_is_told(tmp_path):
    header = nibabel.Nifti2Header()
    header.set_data_dtype(np.float64)
    header["dim"] = [3, 30_000, 30_000, 30_000, 1, 1, 1, 1]
    header["pixdim"][1:4] = 1
    (tmp_path / "a.nii").write_bytes(header.binaryblock + bytes(100))
    for read in (read_image, read_labels, read_volume):
        with pytest.raises(SegError, match=r"a.nii: not a readable .*header says 216,000,000,000,000 bytes of voxels"):
            read(tmp_path / "a.nii")


def test_bits_that_flipped_in_a_packed_file_are_told(tmp_path):
    content = bytearray(save(tmp_path / "a.nii.gz", VOXELS).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(SegError, match=r"a.nii.gz: not a readable NIfTI volume"):
        read_image(tmp_path / "a.nii.gz")


def test_image_and_mask_on_different_grids_are_told_with_both_names(tmp_path):
    image = save(tmp_path / "image.nii", VOXELS)
    shifted = AFFINE.copy()
    shifted[0, 3] += 0.5
    mask = save(tmp_path / "mask.nii", VOXELS, shifted)
    with pytest.raises(SegError, match=r"image.nii and .*mask.nii have the same shape, but .* differ by 0.5"):
        nifti_volume("a", image, [mask], lambda: read_labels(mask))
    small = save(tmp_path / "small.nii", VOXELS[1:])
    with pytest.raises(SegError, match=r"image.nii has \(3, 4, 5\) voxels, .*small.nii \(3, 4, 4\)"):
        nifti_volume("a", image, [small], lambda: read_labels(small))


def test_a_volume_knows_its_grid_and_its_files(tmp_path):
    image, mask = save(tmp_path / "image.nii", VOXELS), save(tmp_path / "mask.nii", VOXELS % 2)
    volume = nifti_volume("a", image, [mask], lambda: read_labels(mask), group="patient")
    assert (volume.shape, volume.spacing, volume.group) == ((3, 4, 5), (3, 2, 0.5), "patient")
    before = volume.fingerprint()
    save(mask, VOXELS % 3)
    assert volume.fingerprint() != before
