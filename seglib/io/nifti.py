"""NIfTI volumes in, through nibabel."""

import gzip
import io
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources.abc import Traversable
from typing import Any, ClassVar

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from seglib.errors import SegError
from seglib.io.archive import DAMAGE, HARMLESS_BYTES, LARGEST_RATIO, read_bytes
from seglib.io.sample import file_fingerprint, place
from seglib.io.volumes import Arrangement, Grid, Volume, labels_only, narrowed, scan_values

SUFFIXES = (".nii", ".nii.gz")
HEADER_BYTES = 540
"""Length of a NIfTI-2 header, the longer one."""
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    MemoryError,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
    zlib.error,
)


@dataclass(frozen=True)
class Header:
    """What a file's header says of it, arranged as Volume is."""

    arrangement: Arrangement
    channels: int
    flat: ClassVar[bool] = False
    """It is never a picture of two axes."""

    @property
    def grid(self) -> Grid:
        """Where the voxels lie."""
        return self.arrangement.grid


def stem(name: str) -> str:
    """A file's name without `.nii` or `.nii.gz`."""
    return name.removesuffix(".gz").removesuffix(".nii")


def read_volume(file: Traversable) -> tuple[np.ndarray, tuple[float, ...]]:
    """Read a `.nii` or `.nii.gz` volume: voxels in the file's own dtype, and spacing in mm.

    Raises SegError where the file is unreadable.
    """
    volume = _decoded(file)
    return _voxels(volume, file), tuple(float(side) for side in volume.header.get_zooms())


def read_header(file: Traversable) -> Header:
    """Read the first bytes only.

    Raises SegError where they are no header of a volume.
    """
    try:
        with file.open("rb") as packed:
            start = packed.read(2)
            packed.seek(0)
            content = gzip.GzipFile(fileobj=packed) if start == b"\x1f\x8b" else packed
            block = content.read(HEADER_BYTES)
        kind = _header_class(block)
        header = kind(block[: kind.template_dtype.itemsize])
        shape = header.get_data_shape()
        return Header(_arrangement(shape, header.get_best_affine(), file), _channels(shape, file))
    except (*UNREADABLE, *DAMAGE) as error:
        raise _unreadable(file, error) from None


def read_image(file: Traversable) -> np.ndarray:
    """Read an image, arranged as Volume is: [depth, height, width, channels], scaled as its header says.

    uint8, int16, uint16 or float32; other types become int16 where nothing is lost by it, else float32.
    Raises SegError where the file is unreadable, or no volume of numbers.
    """
    volume = _decoded(file)
    voxels = narrowed(_voxels(volume, file), file)
    voxels = voxels.reshape(*_spatial(volume.shape), _channels(volume.shape, file))
    return _arrangement(volume.shape, volume.affine, file).apply(voxels)


def read_scan(file: Traversable) -> np.ndarray:
    """Read an image that a scanner measured: as `read_image`, but bytes become int16."""
    return scan_values(read_image(file), file)


def read_labels(file: Traversable) -> np.ndarray:
    """Read a mask, arranged as Volume is: uint8 [depth, height, width], of the values in the file.

    Raises SegError where the file is unreadable, has several channels, or values that are no whole
    numbers from 0 to 255.
    """
    volume = _decoded(file)
    voxels = _voxels(volume, file)
    if (channels := _channels(volume.shape, file)) != 1:
        raise SegError(f"{file}: the mask has {channels} values a voxel; save one")
    labels = labels_only(voxels, file)
    return _arrangement(volume.shape, volume.affine, file).apply(labels.reshape(_spatial(volume.shape)))


def nifti_volume(
    name: str,
    image: Traversable,
    masks: Sequence[Traversable],
    read_mask: Callable[[], np.ndarray],
    reader: Callable[[Traversable], np.ndarray] = read_scan,
    **known: Any,
) -> Volume:
    """A volume that is an image file and one or several mask files; without a `group` it is its own.

    `known` holds further fields of Volume. Raises SegError where the files are not on one grid.
    """
    grid = read_header(image).grid
    for mask in masks:
        grid.check(read_header(mask).grid, image, mask)
    return Volume(
        id=name,
        group=known.pop("group", name),
        shape=grid.shape,
        spacing=grid.spacing,
        image=partial(reader, image),
        mask=read_mask,
        fingerprint=partial(file_fingerprint, image, *masks),
        source=place(image),
        **known,
    )


def _unpacked(content: bytes) -> bytes:
    most = max(HARMLESS_BYTES, LARGEST_RATIO * len(content))
    with gzip.open(io.BytesIO(content)) as packed:
        unpacked = packed.read(most + 1)
    if len(unpacked) > most:
        raise ValueError(f"{len(content):,} bytes would unpack to more than {most:,}: a decompression bomb")
    return unpacked


def _decoded(file: Traversable) -> Any:
    content = read_bytes(file)
    try:
        if content.startswith(b"\x1f\x8b"):
            content = _unpacked(content)
        second = _header_class(content) is nibabel.Nifti2Header
        volume = (nibabel.Nifti2Image if second else nibabel.Nifti1Image).from_bytes(content)
        _check_length(volume.header, len(content))
    except UNREADABLE as error:
        raise _unreadable(file, error) from None
    return volume


def _check_length(header: Any, length: int) -> None:
    """Before memory is taken for what the header says."""
    needed = math.prod(map(int, header.get_data_shape())) * header.get_data_dtype().itemsize
    if needed > length:
        raise ValueError(f"its header says {needed:,} bytes of voxels, it has {length:,}")


def _voxels(volume: Any, file: Traversable) -> np.ndarray:
    try:
        return np.asarray(volume.dataobj)
    except UNREADABLE as error:
        raise _unreadable(file, error) from None


def _header_class(block: bytes) -> Any:
    length = block[:4]
    if HEADER_BYTES in (int.from_bytes(length, "little"), int.from_bytes(length, "big")):
        return nibabel.Nifti2Header
    return nibabel.Nifti1Header


def _spatial(shape: Sequence[int]) -> tuple[int, int, int]:
    width, height, depth = (*shape[:3], 1, 1)[:3]
    return width, height, depth


def _channels(shape: Sequence[int], file: Traversable) -> int:
    behind = [length for length in shape[3:] if length != 1]
    if len(shape) < 2 or len(behind) > 1:
        raise SegError(f"{file}: is an array of {tuple(shape)}; a volume has three axes, or a fourth for its channels")
    return behind[0] if behind else 1


def _arrangement(shape: Sequence[int], affine: np.ndarray, file: Traversable) -> Arrangement:
    return Arrangement.of(_spatial(shape), np.asarray(affine, np.float64), file)


def _unreadable(file: Traversable, error: Exception) -> SegError:
    return SegError(f"{file}: not a readable NIfTI volume ({error}); fetch it again")
