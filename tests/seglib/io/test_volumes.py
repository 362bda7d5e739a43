"""Volumes give upright slices, are read once, and say where image and mask do not fit."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest

from seglib.errors import SegError
from seglib.io.volumes import Arrangement, Grid, Volume, narrowed, scan_values

SHAPE = (3, 4, 5)


def volume(calls: Counter[str], mask_shape: tuple[int, ...] = SHAPE) -> Volume:
    def image() -> np.ndarray:
        calls["image"] += 1
        return np.arange(60, dtype=np.int16).reshape(*SHAPE, 1)

    def fingerprint() -> str:
        calls["fingerprint"] += 1
        return "f" * 64

    return Volume(
        id="head",
        group="patient",
        shape=SHAPE,
        spacing=(3.0, 2.0, 1.0),
        image=image,
        mask=lambda: np.zeros(mask_shape, np.uint8),
        fingerprint=fingerprint,
    )


@pytest.mark.parametrize(
    ("take", "count", "shape", "spacing"),
    [
        ("axial", 3, (4, 5, 1), (2.0, 1.0)),
        ("coronal", 4, (3, 5, 1), (3.0, 1.0)),
        ("sagittal", 5, (3, 4, 1), (3.0, 2.0)),
        ("volume", 1, (3, 4, 5, 1), (3.0, 2.0, 1.0)),
    ],
)
def test_samples_are_slices_along_an_axis_or_the_whole(take, count, shape, spacing):
    samples = volume(Counter()).samples(take)
    assert len(samples) == count
    assert {(sample.group, sample.volume, sample.spacing) for sample in samples} == {("patient", "head", spacing)}
    assert {sample.image().shape for sample in samples} == {shape}
    assert {sample.mask().shape for sample in samples} == {shape[:-1]}


def test_the_head_is_up_in_coronal_and_sagittal_slices():
    whole = np.arange(60).reshape(SHAPE)
    pictures = {take: volume(Counter()).samples(take)[1].image()[..., 0] for take in ("axial", "coronal", "sagittal")}
    assert (pictures["axial"] == whole[1]).all()
    assert (pictures["coronal"] == whole[::-1, 1]).all()
    assert (pictures["sagittal"] == whole[::-1, :, 1]).all()


def test_the_slices_of_a_volume_read_and_hash_it_once():
    calls: Counter[str] = Counter()
    for sample in volume(calls).samples("axial"):
        for read in (sample.image, sample.mask, sample.fingerprint):
            read()
        assert sample.whole is not None
        assert sample.whole().shape == (*SHAPE, 1)
    assert calls == {"image": 1, "fingerprint": 1}


def test_a_mask_of_another_shape_is_told():
    with pytest.raises(SegError, match=r"volume 'head'.*its mask \(3, 4, 4\)"):
        volume(Counter(), (3, 4, 4)).samples("volume")[0].image()


def test_any_order_and_direction_of_axes_gives_the_same_arrangement():
    """A marker that is high, at the back and left lands in the same place."""
    for axes, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        affine = np.eye(4)
        affine[:3, :3] = np.zeros((3, 3))
        shape = [0, 0, 0]
        place = [0, 0, 0]
        for axis, sign, length, spacing, marker in zip(axes, signs, (5, 4, 3), (1.0, 2.0, 3.0), (1, 0, 2), strict=True):
            world = (5, 4, 3).index(length)
            affine[world, axis] = sign * spacing
            affine[world, 3] = 10 if sign > 0 else 10 + spacing * (length - 1)
            shape[axis], place[axis] = length, marker if sign > 0 else length - 1 - marker
        stored = np.zeros(shape)
        stored[tuple(place)] = 1
        arrangement = Arrangement.of(tuple(shape), affine, "here")
        assert np.argwhere(arrangement.apply(stored)).tolist() == [[2, 3, 1]]
        assert arrangement.grid.shape == (3, 4, 5)
        assert arrangement.grid.spacing == (3, 2, 1)
        assert (arrangement.grid.affine @ (2, 3, 1, 1))[:3] == pytest.approx((11, 10, 16))


def test_a_header_without_orientation_is_told():
    with pytest.raises(SegError, match=r"scan.nii: its header says nothing sensible on the orientation"):
        Arrangement.of(SHAPE, np.diag([1.0, 0, 1, 1]), "scan.nii")


@pytest.mark.parametrize("side", [0, -1, 40_000, 2_000_000_000])
def test_a_header_of_an_impossible_shape_is_told(side):
    with pytest.raises(SegError, match=rf"scan.nii: its header says \(3, {side}, 5\) voxels; each side must have 1 to"):
        Arrangement.of((3, side, 5), np.eye(4), "scan.nii")


def test_grids_that_differ_are_told_with_both_names():
    grid = Grid(SHAPE, np.eye(4))
    grid.check(Grid(SHAPE, np.eye(4) + 5e-4), "image", "mask")
    with pytest.raises(SegError, match=r"image has \(3, 4, 5\) voxels, mask \(3, 4, 6\)"):
        grid.check(Grid((3, 4, 6), np.eye(4)), "image", "mask")
    with pytest.raises(SegError, match=r"image and mask have the same shape, but .* differ by 0.002"):
        grid.check(Grid(SHAPE, np.eye(4) + 2e-3), "image", "mask")


@pytest.mark.parametrize(
    ("stored", "values", "given"),
    [
        ("uint8", [0, 255], "uint8"),
        ("uint16", [0, 65535], "uint16"),
        ("int16", [-5, 5], "int16"),
        ("float32", [1, 2], "float32"),
        ("bool", [0, 1], "int16"),
        ("int8", [-5, 5], "int16"),
        ("int32", [-32768, 32767], "int16"),
        ("int32", [-32768, 32768], "float32"),
        ("float64", [-1024, 3071], "int16"),
        ("float64", [0.5, 1], "float32"),
        ("float64", [np.nan, 1], "float32"),
        ("float64", [1e9, 1], "float32"),
    ],
)
def test_types_are_narrowed_without_loss(stored, values, given):
    array = np.array(values).astype(stored)
    result = narrowed(array, "here")
    assert result.dtype == given
    assert np.array_equal(result, array, equal_nan=stored == "float64")


def test_a_scans_bytes_are_no_picture():
    assert scan_values(np.array([255], np.uint8), "here").dtype == np.int16


def test_complex_voxels_are_told():
    with pytest.raises(SegError, match=r"scan.nii: holds complex128 voxels"):
        narrowed(np.array([1j]), "scan.nii")
