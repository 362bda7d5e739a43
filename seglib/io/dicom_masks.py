"""The masks of a DICOM series as named regions, whatever format they are in."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Protocol

import numpy as np

from seglib.errors import SegError, listing, nearest
from seglib.io.dicom import Series, Stack
from seglib.io.dicom_headers import Header, walk
from seglib.io.dicom_seg import read_segments, segment_names
from seglib.io.nifti import SUFFIXES, read_header, read_labels, stem
from seglib.io.rtstruct import read_rois, roi_names

FOLDERS = ("mask", "masks", "label", "labels")
LABEL_MAPS = (*FOLDERS, "seg", "segmentation")
"""What a NIfTI file is called that holds all regions, in lower case."""


class Mask(Protocol):
    """Named regions on the grid of a series."""

    @property
    def files(self) -> Sequence[Traversable]:
        """What it is read from."""
        ...

    def names(self, wanted: Sequence[str]) -> list[str]:
        """The regions that it has, of those wanted; of all where none is named."""
        ...

    def read(self, wanted: Sequence[str], stack: Stack) -> dict[str, np.ndarray]:
        """Those regions by name, arranged as Volume is: bool [depth, height, width]."""
        ...


@dataclass(frozen=True)
class DicomMask:
    """A structure set, or a segmentation object."""

    header: Header

    @property
    def files(self) -> Sequence[Traversable]:
        """The one file."""
        return (self.header.file,)

    def names(self, wanted: Sequence[str]) -> list[str]:
        """ROIs with an inside, or segments."""
        found = roi_names(self.header.file) if self._is_structure_set else segment_names(self.header)
        return [name for name in found if name in wanted or not wanted]

    def read(self, wanted: Sequence[str], stack: Stack) -> dict[str, np.ndarray]:
        """Rasterised contours, or the segments' voxels."""
        if self._is_structure_set:
            return read_rois(self.header.file, wanted, stack)
        return read_segments(self.header, wanted, stack)

    @property
    def _is_structure_set(self) -> bool:
        return self.header.text("Modality") == "RTSTRUCT"


@dataclass(frozen=True)
class NiftiMask:
    """NIfTI files of one folder.

    Each is a region, called like the file. But where names are wanted, a single file that is called `mask`
    or the like is a map of labels: value 1 is the first of the names, and so on.
    """

    files: Sequence[Traversable]

    def names(self, wanted: Sequence[str]) -> list[str]:
        """The files' names without ending; or all that are wanted, for a map of labels.

        Raises SegError where two files have one name, or a single one has none of those wanted.
        """
        if self._is_label_map(wanted):
            return list(wanted)
        return [name for name in self._by_name if name in wanted or not wanted]

    def read(self, wanted: Sequence[str], stack: Stack) -> dict[str, np.ndarray]:
        """Read the files that are needed.

        Raises SegError where one is not on the grid of the images, or holds labels that have no name.
        """
        if not self._is_label_map(wanted):
            return {name: _labels(self._by_name[name], stack, 1) == 1 for name in self.names(wanted)}
        names = self.names(wanted)
        labels = _labels(self.files[0], stack, len(names))
        return {name: labels == value for value, name in enumerate(names, 1)}

    @property
    def _by_name(self) -> dict[str, Traversable]:
        files: dict[str, Traversable] = {}
        for file in self.files:
            name = stem(file.name)
            if name in files:
                raise SegError(f"two files for '{name}': {files[name]} and {file}; keep one")
            files[name] = file
        return files

    def _is_label_map(self, wanted: Sequence[str]) -> bool:
        name = stem(self.files[0].name)
        if not wanted or len(self.files) > 1 or name in wanted:
            return False
        if name.lower() in LABEL_MAPS:
            return True
        raise SegError(
            f"{self.files[0]}: is called like none of the classes, {nearest(name, wanted)}; rename or remove it, or "
            "call it mask where it is a map of all of them"
        )


def nifti_masks(root: Traversable) -> dict[tuple[str, ...], NiftiMask]:
    """The NIfTI files in folders that are called `mask` or `label`, by the path of the folder."""
    folders: dict[tuple[str, ...], list[Traversable]] = {}
    for file, folder in walk(root):
        if folder and folder[-1].lower() in FOLDERS and file.name.lower().endswith(SUFFIXES):
            folders.setdefault(folder, []).append(file)
    return {folder: NiftiMask(tuple(files)) for folder, files in folders.items()}


def beside(series: Series, masks: dict[tuple[str, ...], NiftiMask]) -> list[Mask]:
    """The NIfTI masks in the folder of a series, or else beside that folder."""
    folder = series.first.folder
    inside = [mask for place, mask in masks.items() if place[:-1] == folder]
    return list(inside or [mask for place, mask in masks.items() if folder and place[:-1] == folder[:-1]])


def _labels(file: Traversable, stack: Stack, largest: int) -> np.ndarray:
    stack.arrangement.grid.check(read_header(file).grid, stack.series, file)
    labels = read_labels(file)
    values = np.unique(labels[labels > 0])
    if len(values) == 1 and largest == 1:
        return (labels > 0).astype(np.uint8)
    if values.size and values[-1] > largest:
        raise SegError(
            f"{file}: holds the values {listing(values, 8)}, but {largest} of them have a name; "
            "list the names in data.dicom.classes, in the order of the values"
        )
    return labels
