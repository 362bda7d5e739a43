"""Medical Segmentation Decathlon: any of its ten tasks, as its tar archive (Antonelli et al., 2022).

The authors' mirror states MD5 sums only, so no archive is fetched without being asked for: name one in
`data.path`, or in `data.url` with the `data.sha256` of your own copy.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

import numpy as np
from pydantic import BaseModel, ValidationError

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io.archive import read_bytes
from seglib.io.classes import class_list
from seglib.io.masks import class_indices
from seglib.io.nifti import nifti_volume, read_header, read_labels, stem
from seglib.io.pairs import find_folder
from seglib.io.sample import Modality, Sample, Spec
from seglib.io.volumes import Take, Volume

PUBLISHED = None
INDEX = "dataset.json"
LARGEST_LABEL = 255
MODALITIES: Mapping[str, Modality] = {"ct": "ct", "pet": "pet", "pt": "pet"}
"""What the index calls a channel → modality; every other name (FLAIR, T1w, ADC) is a sequence of MRI."""
PAPER = "Antonelli et al., The Medical Segmentation Decathlon, Nature Communications 13 (2022)"


class Params(Section):
    """Options of the data set."""

    take: Take
    """Slices along an axis, or whole volumes."""


class _Pair(BaseModel):
    image: str
    label: str


class _Index(BaseModel):
    """What `dataset.json` says, as far as it is needed."""

    modality: dict[str, str]
    labels: dict[str, str]
    training: list[_Pair]
    name: str = ""
    licence: str = "see the data set's own page"
    reference: str = ""


def spec(root: Traversable, _params: Params) -> Spec:
    """Classes, channels and modality as the task's `dataset.json` declares them."""
    task = _open(root)
    return Spec(
        classes=class_list([task.labels[number] for number in sorted(task.labels)]),
        channels=len(task.index.modality),
        modality=_modality(task),
        licence=task.index.licence.strip(),
        citation=". ".join(filter(None, [PAPER, task.index.name.strip(), task.index.reference.strip()])),
    )


def samples(root: Traversable, params: Params) -> list[Sample]:
    """The training pairs; the slices of a volume are a group.

    Raises SegError that names pairs which are not there, or do not fit each other.
    """
    task = _open(root)
    volumes = sorted((_volume(task, pair) for pair in task.index.training), key=lambda volume: volume.id)
    names = [volume.id for volume in volumes]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise SegError(f"{task.file}: training images that stand twice: {listing(doubled)}")
    return sorted((sample for volume in volumes for sample in volume.samples(params.take)), key=lambda one: one.id)


@dataclass(frozen=True)
class _Task:
    folder: Traversable
    index: _Index
    labels: Mapping[int, str]

    @property
    def file(self) -> Traversable:
        return self.folder / INDEX

    def path(self, name: str) -> Traversable:
        """A file that the index names, relative to it."""
        parts = PurePosixPath(name).parts
        if ".." in parts or PurePosixPath(name).is_absolute():
            raise SegError(f"{self.file}: '{name}' points outside the data set; do not trust it")
        file = self.folder.joinpath(*parts)
        if not file.is_file():
            raise SegError(f"{file}: is named in {INDEX}, but is not there; fetch the archive again")
        return file


def _open(root: Traversable) -> _Task:
    folder = root if (root / INDEX).is_file() else find_folder(root, "imagesTr", "labelsTr")
    file = folder / INDEX
    if not file.is_file():
        raise SegError(f"{file}: is missing; a task of the Decathlon has one beside imagesTr and labelsTr")
    try:
        index = _Index.model_validate(json.loads(read_bytes(file)))
        numbers = [int(number) for number in index.labels]
    except (ValidationError, ValueError) as error:
        raise SegError(f"{file}: is no index of the Decathlon ({_first_line(error)}); fetch it again") from None
    if 0 not in numbers or not index.training:
        raise SegError(f"{file}: declares no label 0, or no training pairs; fetch it again")
    if len(set(numbers)) < len(numbers) or min(numbers) < 0 or max(numbers) > LARGEST_LABEL:
        raise SegError(
            f"{file}: declares the labels {listing(index.labels, 20)}; "
            f"give each its own number from 0 to {LARGEST_LABEL}"
        )
    return _Task(folder, index, dict(zip(numbers, index.labels.values(), strict=True)))


def _first_line(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _modality(task: _Task) -> Modality:
    found: set[Modality] = {MODALITIES.get(name.strip().lower(), "mri") for name in task.index.modality.values()}
    if len(found) != 1:
        raise SegError(f"{task.file}: channels of several modalities ({listing(sorted(found))}); keep those of one")
    return found.pop()


def _volume(task: _Task, pair: _Pair) -> Volume:
    image, label = task.path(pair.image), task.path(pair.label)
    declared, found = len(task.index.modality), read_header(image).channels
    if found != declared:
        raise SegError(f"{image}: has {found} channels, but {INDEX} declares {declared}; fetch it again")
    mapping = {number: index for index, number in enumerate(sorted(task.labels))}
    return nifti_volume(stem(image.name), image, [label], partial(_read_mask, mapping, label))


def _read_mask(mapping: Mapping[int, int], file: Traversable) -> np.ndarray:
    return class_indices(read_labels(file), mapping, file)
