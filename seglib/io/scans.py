"""Volumes with their masks from files of any of the known formats: NIfTI, NRRD and MetaImage."""

from collections.abc import Callable
from functools import partial
from importlib.resources.abc import Traversable
from types import ModuleType

import numpy as np

from seglib.io import nifti, nrrd
from seglib.io.volumes import Grid

SUFFIXES = (*nifti.SUFFIXES, *nrrd.SUFFIXES)


def is_scan(file: Traversable) -> bool:
    """Whether the file's name is that of a volume."""
    return file.name.lower().endswith(SUFFIXES)


def read_header(file: Traversable) -> nifti.Header | nrrd.Header:
    """Read the header alone.

    Raises SegError where there is none.
    """
    return _format(file).read_header(file)


def read_grid(file: Traversable) -> tuple[Grid, bool]:
    """Where the voxels lie, from the header alone, and whether the file is a picture of two axes.

    Raises SegError where there is no such header.
    """
    header = read_header(file)
    return header.grid, header.flat


def image_reader(file: Traversable, *, measured: bool) -> Callable[[], np.ndarray]:
    """What reads an image, arranged as Volume is; one that a scanner `measured` is never bytes."""
    module = _format(file)
    return partial(module.read_scan if measured else module.read_image, file)


def read_labels(file: Traversable) -> np.ndarray:
    """Read a mask, arranged as Volume is: uint8 [depth, height, width], of the values in the file."""
    return _format(file).read_labels(file)


def _format(file: Traversable) -> ModuleType:
    return nifti if file.name.lower().endswith(nifti.SUFFIXES) else nrrd
