"""Own data: images and masks side by side in a folder or an archive, of any usual file format.

Four layouts are read: `images/` and `masks/` with files named alike; `masks/<class>/` with a mask for
each class; either of these in `train/`, `val/` and `test/`; and lists `train.txt`, `val.txt` and
`test.txt` of the paths of an image and of its mask. NIfTI, NRRD and MetaImage files are volumes.
"""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.resources.abc import Traversable
from typing import Annotated, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io import scans
from seglib.io.cases import Case, find_cases
from seglib.io.classes import Colour, class_list
from seglib.io.images import SUFFIXES, read_colours, read_image, read_values
from seglib.io.masks import class_indices, colour_indices, covered, stacked
from seglib.io.sample import IGNORE, Modality, Sample, Spec, place
from seglib.io.volumes import Take, Volume

PUBLISHED = None
IGNORED = "ignore"
"""Name of the entry whose pixels neither train nor count."""
SCANNED: tuple[Modality, ...] = ("ct", "mri", "pet")
Byte = Annotated[int, Field(ge=0, le=255)]


class MaskClass(Section):
    """A class of the masks, by its grey value or its colour; neither where it has a folder of its own."""

    name: Annotated[str, Field(pattern=r"^\w+$")]
    value: Byte | None = None
    """Its grey value, or its index in a palette of colours."""
    colour: Annotated[list[Byte], Field(min_length=3, max_length=3)] | None = None
    """Its red, green and blue."""


class Params(Section):
    """Options of the data set."""

    channels: Annotated[int, Field(ge=1, le=64)]
    """1 reads the images as grey, 3 as colour; another number is that of the files' own bands."""
    classes: Annotated[list[MaskClass], Field(min_length=2, max_length=250)]
    """In the order of the class indices; the first is the background, `ignore` is no class."""
    overlapping: bool
    """Whether the masks in `masks/<class>/` may overlap; false: the later class wins."""
    group: str
    """Pattern on the id whose first group names what is never split; empty: each image is its own."""
    modality: Modality
    take: Take
    """How samples are taken of volumes."""

    @property
    def names(self) -> list[str]:
        """The classes without `ignore`, in the order of their indices."""
        return [entry.name for entry in self.classes if entry.name != IGNORED]

    @property
    def colours(self) -> list[Colour]:
        """Their colours in the masks, where these have any."""
        colours = [entry.colour for entry in self.classes if entry.colour and entry.name != IGNORED]
        return [(red, green, blue) for red, green, blue in colours]

    @field_validator("group")
    @classmethod
    def _group_has_a_group(cls, pattern: str) -> str:
        try:
            with warnings.catch_warnings(action="ignore"):
                groups = re.compile(pattern).groups
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if pattern and not groups:
            raise ValueError("needs a pair of parentheses around what names the group, as in ^(patient\\d+)_")
        return pattern

    @model_validator(mode="after")
    def _classes_differ(self) -> Self:
        for key in ("name", "value", "colour"):
            taken = [getattr(entry, key) for entry in self.classes if getattr(entry, key) is not None]
            if any(taken.count(found) > 1 for found in taken):
                raise ValueError(f"classes: two have the same {key}")
        if any(entry.name == "pooled" for entry in self.classes):
            raise ValueError("classes: 'pooled' is the name of a metric; choose another")
        kinds = {(entry.value is None, entry.colour is None) for entry in self.classes}
        if len(kinds) > 1 or (False, False) in kinds:
            raise ValueError("classes: give each a value, or each a colour, or none of them either")
        if self.classes[0].name == IGNORED or len(self.names) < 2:
            raise ValueError("classes: the first is the background, and one more is needed besides ignore")
        if self.overlapping and len(self.names) > 8:
            raise ValueError("classes: at most seven besides the background can overlap")
        return self


def spec(_root: Traversable, params: Params) -> Spec:
    """The classes that the parameters declare."""
    return Spec(
        classes=class_list(params.names, params.colours),
        channels=params.channels,
        modality=params.modality,
        licence="your own",
        citation="",
        overlapping=params.overlapping,
    )


def samples(root: Traversable, params: Params) -> list[Sample]:
    """The pairs of the layout that is found; a mask may have `_mask` behind its image's name.

    Raises SegError that names files which do not pair, masks of undeclared classes, and ids without group.
    """
    cases = find_cases(root, (*SUFFIXES, *scans.SUFFIXES), [entry.name for entry in params.classes])
    _check_masks(cases, params)
    groups = _groups([case.id for case in cases], params.group)
    found = [sample for case in cases for sample in _samples(case, groups[case.id], params)]
    return sorted(found, key=lambda sample: sample.id)


def _check_masks(cases: Sequence[Case], params: Params) -> None:
    whole = next((case.mask for case in cases if case.mask), None)
    if whole and params.overlapping:
        raise SegError(f"{whole}: one mask for all classes, which cannot overlap; set overlapping: false")
    if whole and params.classes[0].value is None and params.classes[0].colour is None:
        raise SegError(f"{whole}: one mask for all classes; declare a value or a colour for each")


def _groups(ids: Sequence[str], pattern: str) -> dict[str, str]:
    matches = {name: re.search(pattern, name) for name in ids}
    if unmatched := [name for name, match in matches.items() if match is None or (pattern and not match[1])]:
        raise SegError(
            f"data.folder.group: '{pattern}' finds no group in {listing(unmatched)}; "
            "mend the pattern, or rename the files"
        )
    return {name: match[1] if pattern and match else name for name, match in matches.items()}


def _samples(case: Case, group: str, params: Params) -> list[Sample]:
    if not scans.is_scan(case.image):
        image = partial(read_image, case.image, params.channels)
        mask = partial(_mask, case, image, params)
        return [Sample(case.id, group, image, mask, case.fingerprint, side=case.side, source=place(case.image))]
    grid, flat = scans.read_grid(case.image)
    for file in case.files[1:]:
        if not scans.is_scan(file):
            raise SegError(f"{file}: the mask of the volume {case.image}; save it as a volume, too")
        grid.check(scans.read_grid(file)[0], case.image, file)
    image = scans.image_reader(case.image, measured=params.modality in SCANNED)
    volume = Volume(
        id=case.id,
        group=group,
        shape=grid.shape,
        spacing=grid.spacing,
        image=image,
        mask=partial(_mask, case, image, params),
        fingerprint=case.fingerprint,
        side=case.side,
    )
    return [replace(sample, id=case.id) for sample in volume.samples("axial")] if flat else volume.samples(params.take)


def _mask(case: Case, image: Callable[[], np.ndarray], params: Params) -> np.ndarray:
    if case.mask:
        return _indices(case.mask, params)
    planes = {_index(entry.name, params): case.parts.get(entry.name) for entry in params.classes}
    covers = {index: covered(_values(file), file) for index, file in planes.items() if file is not None}
    shape = next((plane.shape for plane in covers.values()), None) or image().shape[:-1]
    return stacked(covers, shape, case.image, overlapping=params.overlapping)


def _index(name: str, params: Params) -> int:
    return IGNORE if name == IGNORED else params.names.index(name)


def _indices(file: Traversable, params: Params) -> np.ndarray:
    colours = {tuple(entry.colour): _index(entry.name, params) for entry in params.classes if entry.colour}
    if colours and scans.is_scan(file):
        raise SegError(f"{file}: a volume has no colours; declare a value for each class")
    if colours:
        return colour_indices(read_colours(file), colours, file)
    values = {entry.value: _index(entry.name, params) for entry in params.classes if entry.value is not None}
    return class_indices(_values(file), values, file)


def _values(file: Traversable) -> np.ndarray:
    return scans.read_labels(file) if scans.is_scan(file) else read_values(file)
