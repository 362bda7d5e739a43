"""DICOM series of CT, MR or PET images with structure sets, segmentations or NIfTI masks: your own data.

Any tree of folders will do: images and masks are told by their headers. NIfTI masks lie in a folder
`mask` or `label` inside or beside that of their series, and count where it has no DICOM mask. Pixel values
are those after the rescale slope: Hounsfield units in CT, the files' own unit (such as Bq/ml) in PET.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.resources.abc import Traversable
from typing import Literal

import numpy as np

from seglib.config import Section
from seglib.errors import SegError, listing, nearest
from seglib.io.classes import class_list
from seglib.io.dicom import Series, group_series
from seglib.io.dicom_headers import MASKS, Header, read_headers
from seglib.io.dicom_masks import DicomMask, Mask, beside, nifti_masks
from seglib.io.dicom_references import find_series, shared
from seglib.io.sample import Sample, Spec, file_fingerprint
from seglib.io.volumes import Take, Volume

PUBLISHED = None
MOST_OVERLAPPING = 7


class Params(Section):
    """Options of the data set."""

    modality: Literal["ct", "mri", "pet"]
    """Which series are read."""
    classes: list[str]
    """Names of ROIs or segments, in the order of the class indices; empty: all that are found, sorted."""
    overlapping: bool
    """Whether a voxel may belong to several classes.

    If not, the later in `classes` wins; where `classes` is empty, an overlap is an error.
    """
    take: Take
    """Slices along an axis, or whole volumes."""


@dataclass(frozen=True, eq=False)
class _Case:
    """A series with its masks."""

    series: Series
    masks: Sequence[Mask]
    group: str

    @property
    def name(self) -> str:
        """Patient and a digest of the series, which tells series of a patient apart wherever they lie."""
        digest = sha256(self.series.uid.encode()).hexdigest()[:8]
        return re.sub(r"[^\w-]+", "_", self.group) + f"-{digest}"

    @property
    def files(self) -> list[Traversable]:
        masks = [file for mask in self.masks for file in mask.files]
        return [*(header.file for header in self.series.stack.headers), *masks]

    def names(self, wanted: Sequence[str]) -> list[str]:
        """The regions that its masks have, of those wanted."""
        found = [(name, mask) for mask in self.masks for name in mask.names(wanted)]
        names = [name for name, _ in found]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            files = [mask.files[0] for name, mask in found if name == doubled[0]]
            raise SegError(f"{self.series}: '{doubled[0]}' stands in several masks: {listing(files)}; remove one")
        return names


def spec(root: Traversable, params: Params) -> Spec:
    """The classes that are listed, or found, on one channel."""
    names = params.classes or _all_names(_cases(root, params))
    if params.overlapping and len(names) > MOST_OVERLAPPING:
        raise SegError(
            f"{len(names)} classes ({listing(names, 10)}), but at most {MOST_OVERLAPPING} can overlap; "
            "list those you need in data.dicom.classes"
        )
    return Spec(
        classes=class_list(["background", *names]),
        channels=1,
        modality=params.modality,
        licence="your own",
        citation="",
        overlapping=params.overlapping,
    )


def samples(root: Traversable, params: Params) -> list[Sample]:
    """Every series of the modality that has a mask with one of the classes; a patient's are a group.

    Prints which series are left out. Raises SegError where none is left, and where a series that is
    taken has missing, double or misfitting slices.
    """
    cases = _cases(root, params)
    names = params.classes or _all_names(cases)
    found = {case: case.names(names) for case in cases}
    if absent := [name for name in names if not any(name in known for known in found.values())]:
        raise SegError(f"{root}: no mask has '{absent[0]}'; {nearest(absent[0], _all_names(cases))}")
    for case in cases:
        if not found[case]:
            print(f"left out, for it has no mask with one of the classes: {case.series}", file=sys.stderr)
    volumes = [_volume(case, names, params) for case in cases if found[case]]
    return sorted((sample for volume in volumes for sample in volume.samples(params.take)), key=lambda one: one.id)


def _cases(root: Traversable, params: Params) -> list[_Case]:
    """All series of the modality; some may have no mask."""
    headers = read_headers(root)
    known = {series.uid: series for series in group_series(headers)}
    chosen = [series for series in known.values() if series.modality == params.modality]
    if not chosen:
        found = listing(sorted({series.modality for series in known.values()})) or "no images at all"
        raise SegError(f"{root}: no DICOM series of {params.modality}, found {found}; set data.dicom.modality")
    masks = _dicom_masks(headers, known, params)
    others = nifti_masks(root)
    groups = _groups(list(known.values()))
    cases = [_Case(one, masks.get(one.uid) or beside(one, others), groups[one.uid]) for one in chosen]
    if not any(case.masks for case in cases):
        raise SegError(
            f"{root}: {len(cases)} series of {params.modality}, but no RTSTRUCT or SEG refers to one of them, "
            "nor is there a NIfTI file in a folder 'mask' beside one"
        )
    return cases


def _dicom_masks(headers: Sequence[Header], known: Mapping[str, Series], params: Params) -> dict[str, list[Mask]]:
    """The masks of each series."""
    masks: dict[str, list[Mask]] = {}
    for header in headers:
        if header.text("Modality") in MASKS and (series := find_series(header, known, params.modality)):
            masks.setdefault(series.uid, []).append(DicomMask(header))
    return masks


def _groups(known: Sequence[Series]) -> dict[str, str]:
    """The patient of each series; without one, the first folder in which they differ."""
    folders = [series.first.folder for series in known]
    common = min(shared(folders[0], folder) for folder in folders)
    return {
        series.uid: series.first.text("PatientID") or next(iter(series.first.folder[common:]), series.uid)
        for series in known
    }


def _all_names(cases: Sequence[_Case]) -> list[str]:
    return sorted({name for case in cases for name in case.names([])})


def _volume(case: _Case, names: Sequence[str], params: Params) -> Volume:
    grid = case.series.stack.arrangement.grid
    return Volume(
        id=case.name,
        group=case.group,
        shape=grid.shape,
        spacing=grid.spacing,
        image=case.series.stack.read_image,
        mask=partial(_read_mask, case, names, params),
        fingerprint=lambda: file_fingerprint(*case.files),
    )


def _read_mask(case: _Case, names: Sequence[str], params: Params) -> np.ndarray:
    regions: dict[str, np.ndarray] = {}
    for mask in case.masks:
        regions |= mask.read(names, case.series.stack)
    merged = np.zeros(case.series.stack.arrangement.grid.shape, np.uint8)
    for index, name in enumerate(names):
        if name not in regions:
            continue
        if params.overlapping:
            merged |= regions[name].astype(np.uint8) << index
            continue
        if not params.classes and (merged[regions[name]] > 0).any():
            under = [names[int(value) - 1] for value in np.unique(merged[regions[name]]) if value]
            raise SegError(
                f"{case.series}: '{name}' overlaps with {listing(map(repr, under))}; set data.dicom.overlapping, "
                "or list the classes in data.dicom.classes, of which the later then wins"
            )
        merged[regions[name]] = index + 1
    return merged
