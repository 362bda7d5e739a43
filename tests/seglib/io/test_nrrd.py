import itertools
import zipfile
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK

from seglib.errors import SegError
from seglib.io import nifti, nrrd
from seglib.io.archive import open_source

VOXELS = np.random.default_rng(0).integers(-1000, 1000, (3, 4, 5)).astype(np.int16)
TURNED = tuple(np.eye(3)[list(order)].ravel().tolist() for order in itertools.permutations(range(3)))
MIRRORED = ((-1.0, 0, 0, 0, 1, 0, 0, 0, 1), (1.0, 0, 0, 0, -1, 0, 0, 0, -1))


def picture(voxels: np.ndarray = VOXELS, direction=None, **how):
    image: Any = SimpleITK.GetImageFromArray(voxels, **how)
    image.SetSpacing((0.5, 0.75, 2.0)[: image.GetDimension()])
    image.SetOrigin((7.0, -8.0, 9.0)[: image.GetDimension()])
    if direction:
        image.SetDirection(direction)
    return image


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("direction", [*TURNED, *MIRRORED])
def test_a_volume_is_arranged_as_its_nifti_twin(tmp_path, suffix, direction):
    """ITK writes both, and nibabel reads the twin: another implementation of the same geometry."""
    image = picture(direction=direction)
    file, twin = tmp_path / f"a{suffix}", tmp_path / "a.nii.gz"
    SimpleITK.WriteImage(image, str(file), useCompression=True)
    SimpleITK.WriteImage(image, str(twin))
    header = nrrd.read_header(file)
    header.grid.check(nifti.read_header(twin).grid, file, twin)
    assert (header.channels, header.flat) == (1, False)
    assert (nrrd.read_image(file) == nifti.read_image(twin)).all()
    assert nrrd.read_image(file).shape[:3] == header.grid.shape


def test_a_supine_scan_stands_upright(tmp_path):
    """DICOM's order: from right to left, front to back, feet to head."""
    SimpleITK.WriteImage(picture(), str(tmp_path / "a.nrrd"))
    assert (nrrd.read_image(tmp_path / "a.nrrd")[..., 0] == VOXELS[:, :, ::-1]).all()
    assert nrrd.read_header(tmp_path / "a.nrrd").grid.spacing == (2.0, 0.75, 0.5)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_a_picture_keeps_its_rows_and_columns(tmp_path, suffix):
    SimpleITK.WriteImage(picture(VOXELS[0]), str(tmp_path / f"a{suffix}"))
    header = nrrd.read_header(tmp_path / f"a{suffix}")
    assert (header.flat, header.grid.shape, header.grid.spacing[1:]) == (True, (1, 4, 5), (0.75, 0.5))
    assert (nrrd.read_image(tmp_path / f"a{suffix}")[0, :, :, 0] == VOXELS[0]).all()


def test_channels_stay_behind(tmp_path):
    voxels = np.random.default_rng(1).random((3, 4, 5, 2)).astype(np.float32)
    SimpleITK.WriteImage(picture(voxels, isVector=True), str(tmp_path / "a.nrrd"))
    assert nrrd.read_header(tmp_path / "a.nrrd").channels == 2
    assert (nrrd.read_image(tmp_path / "a.nrrd") == voxels[:, :, ::-1]).all()


def test_what_a_scanner_measured_is_never_bytes(tmp_path):
    SimpleITK.WriteImage(picture(VOXELS.astype(np.uint8)), str(tmp_path / "a.mha"))
    assert nrrd.read_image(tmp_path / "a.mha").dtype == np.uint8
    assert nrrd.read_scan(tmp_path / "a.mha").dtype == np.int16


def test_labels_are_whole_numbers(tmp_path):
    SimpleITK.WriteImage(picture((VOXELS > 0).astype(np.float32)), str(tmp_path / "a.nrrd"))
    assert (nrrd.read_labels(tmp_path / "a.nrrd") == (VOXELS > 0)[:, :, ::-1]).all()
    for odd in (VOXELS, np.full((3, 4, 5), 0.5, np.float32)):
        SimpleITK.WriteImage(picture(odd), str(tmp_path / "a.nrrd"))
        with pytest.raises(SegError, match=r"a\.nrrd: mask values .*save whole numbers"):
            nrrd.read_labels(tmp_path / "a.nrrd")


def test_segments_in_layers_are_refused(tmp_path):
    layers = np.zeros((3, 4, 5, 2), np.uint8)
    SimpleITK.WriteImage(picture(layers, isVector=True), str(tmp_path / "a.seg.nrrd"))
    with pytest.raises(SegError, match=r"a\.seg\.nrrd: the mask has 2 layers, for its segments overlap"):
        nrrd.read_labels(tmp_path / "a.seg.nrrd")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("length", [0, 10, 600, 5000])
def test_a_truncated_file_is_named(tmp_path, suffix, length, capfd):
    file = tmp_path / f"a{suffix}"
    noise = np.random.default_rng(2).integers(-1000, 1000, (10, 20, 30)).astype(np.int16)
    SimpleITK.WriteImage(picture(noise), str(file), useCompression=True)
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(SegError, match=rf"{file}: not a readable volume \("):
        nrrd.read_image(file)
    capfd.readouterr()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.nrrd", "NRRD0004\ntype: short\ndimension: 1\nsizes: 3\nencoding: raw\ndata file: /etc/passwd\n\n"),
        ("a.nrrd", "NRRD0004\r\ntype: short\r\ndimension: 1\r\nsizes: 3\r\nencoding: raw\r\nDATAFILE: b.raw\r\n\r\n"),
        ("a.mha", "NDims = 1\nDimSize = 3\nElementType = MET_SHORT\nElementDataFile = /etc/passwd\n"),
        ("a.mha", "NRRD0004\nNDims = 1\nDimSize = 3\nElementType = MET_SHORT\nElementDataFile=LIST\nx\n"),
        ("a.mha", "NDims = 1\n" + "Comment = x\n" * 100_000 + "ElementDataFile = /etc/passwd\n"),
    ],
)
def test_voxels_in_another_file_are_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode())
    for read in (nrrd.read_header, nrrd.read_image):
        with pytest.raises(SegError, match=r"a\.\w+: its voxels lie in another file"):
            read(tmp_path / name)


META = "NDims = 3\nBinaryData = True\nDimSize = 2 2 2\nElementSpacing = 1 1 1\nElementType = MET_UCHAR\n"
NRRD = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\nspacings: 1 1 1\nencoding: raw\n"


@pytest.mark.parametrize(
    "before", ["", "\v", "\f", "\t", "\0", "x=1\r", "elementdatafile = LOCAL\n", "ElementDataFile = LOCAL\r"]
)
@pytest.mark.parametrize("between", [" = ", ": ", " : ", "=", "\v= ", "\t:\t", "\0= ", " \0: "])
def test_no_way_to_name_another_file_in_a_metaimage_is_let_through(tmp_path, before, between):
    (tmp_path / "secret.raw").write_bytes(b"secrets!")
    for name in (str(tmp_path / "secret.raw"), "LOCAL.raw", "LIST"):
        (tmp_path / "a.mha").write_bytes(f"{META}{before}ElementDataFile{between}{name}\n".encode())
        with pytest.raises(SegError, match=r"a\.mha: its voxels lie in another file"):
            nrrd.read_labels(tmp_path / "a.mha")


@pytest.mark.parametrize("before", ["\r", "# x\r", " ", "\t"])
@pytest.mark.parametrize("key", ["data file", "datafile", "Data File", "DataFile "])
def test_no_way_to_name_another_file_in_an_nrrd_is_let_through(tmp_path, before, key):
    (tmp_path / "secret.raw").write_bytes(b"secrets!")
    for header in (NRRD, NRRD.replace("\n", "\r")):
        (tmp_path / "a.nrrd").write_bytes(f"{header}{before}{key}: {tmp_path / 'secret.raw'}\n\n".encode())
        with pytest.raises(SegError, match=r"a\.nrrd: its voxels lie in another file"):
            nrrd.read_labels(tmp_path / "a.nrrd")


def test_a_metaimage_without_an_end_of_its_header_is_refused(tmp_path):
    text = META + "\n" + "Comment = x\n" * 100_000 + "ElementDataFile = /etc/passwd\n"
    (tmp_path / "a.mha").write_bytes(text.encode())
    with pytest.raises(SegError, match=r"a\.mha: its voxels lie in another file"):
        nrrd.read_header(tmp_path / "a.mha")


@pytest.mark.parametrize(
    "end", ["ElementDataFile = LOCAL\n", "ElementDataFile=local\r\n", "ElementDataFile =\tLocal \n"]
)
def test_a_metaimage_that_holds_its_voxels_is_read(tmp_path, end):
    (tmp_path / "a.mha").write_bytes((META + end).encode() + bytes(8))
    assert nrrd.read_labels(tmp_path / "a.mha").shape == (2, 2, 2)


def test_an_archive_reads_as_its_folder(tmp_path):
    SimpleITK.WriteImage(picture(), str(tmp_path / "a.mha"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.mha", "a.mha")
    packed = open_source(tmp_path / "a.zip") / "a.mha"
    assert (nrrd.read_image(packed) == nrrd.read_image(tmp_path / "a.mha")).all()
    nrrd.read_header(packed).grid.check(nrrd.read_header(tmp_path / "a.mha").grid, "zip", "folder")


def test_a_nifti_mask_may_lie_on_the_grid_of_an_nrrd_image(tmp_path):
    SimpleITK.WriteImage(picture(), str(tmp_path / "a.nrrd"))
    grid = nrrd.read_header(tmp_path / "a.nrrd").grid
    back = np.diag([-1.0, -1, 1, 1]) @ np.array([[0.5, 0, 0, 7], [0, 0.75, 0, -8], [0, 0, 2, 9], [0, 0, 0, 1]])
    nibabel.Nifti1Image(VOXELS.transpose(2, 1, 0), back).to_filename(tmp_path / "b.nii")
    grid.check(nifti.read_header(tmp_path / "b.nii").grid, "a", "b")
    assert (nifti.read_image(tmp_path / "b.nii") == nrrd.read_image(tmp_path / "a.nrrd")).all()


@pytest.mark.parametrize("axes", ["NDims = 3000", "NDims = -1", "NDims = 0", "NDims = x", "NDims: 3", "xNDims = 3", ""])
def test_a_number_of_axes_that_breaks_itk_is_refused(tmp_path, axes):
    content = META.replace("NDims = 3", axes) + "ElementDataFile = LOCAL\n"
    (tmp_path / "a.mha").write_bytes(content.encode() + bytes(8))
    for read in (nrrd.read_header, nrrd.read_image):
        with pytest.raises(SegError, match=r"a\.mha: not a readable volume \(NDims is not told, or makes no sense\)"):
            read(tmp_path / "a.mha")
