"""LabelMe annotations: JSON files with their images beside them or inside them.

`labels.txt`, beside the files or above, names the classes in order; without it they are the labels that
are found, sorted. `__ignore__` is ignored, `_background_` the background.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from importlib.resources.abc import Traversable

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io.classes import class_list
from seglib.io.labelme import Annotation, Picture, read_annotation
from seglib.io.lists import read_lines
from seglib.io.sample import IGNORE, Sample, Spec, file_fingerprint, place
from seglib.io.tree import at, path_inside, unique_ids, walk

PUBLISHED = None
LABELS = "labels.txt"
BACKGROUND = "_background_"
IGNORED = "__ignore__"


class Params(Section):
    """The data set has no options."""


def spec(root: Traversable, _params: Params) -> Spec:
    """The classes of `labels.txt`, or those found."""
    return Spec(
        classes=class_list(_names(root, _pictures(root))),
        channels=3,
        modality="photograph",
        licence="your own",
        citation="",
    )


def samples(root: Traversable, _params: Params) -> list[Sample]:
    """One sample for each annotation file; its id is the file's name.

    Raises SegError that names damaged files, labels that `labels.txt` lacks, and images that are not there.
    """
    pictures = _pictures(root)
    names = _names(root, pictures)
    values = {**{name: index for index, name in enumerate(names)}, IGNORED: IGNORE}
    _check_labels(pictures, values)
    ids = unique_ids(pictures)
    found = [_sample(ids[path], picture, values) for path, picture in pictures.items()]
    return sorted(found, key=lambda sample: sample.id)


def _sample(name: str, picture: Picture, values: Mapping[str, int]) -> Sample:
    return Sample(
        id=name,
        group=name,
        image=picture.image,
        mask=partial(picture.mask, values),
        fingerprint=partial(_fingerprint, picture, values),
        source=place(picture.files[0]),
    )


def _fingerprint(picture: Picture, values: Mapping[str, int]) -> str:
    """The values count too: another `labels.txt` gives other masks."""
    content = json.dumps([file_fingerprint(*picture.files), dict(values)])
    return hashlib.sha256(content.encode()).hexdigest()


def _pictures(root: Traversable) -> dict[str, Picture]:
    found = {
        path: _picture(root, path, file, known)
        for path, file in walk(root, (".json",)).items()
        if (known := read_annotation(file))
    }
    if not found:
        raise SegError(f"{root}: no LabelMe annotations; expected JSON files with 'shapes'")
    return found


def _picture(root: Traversable, path: str, file: Traversable, known: tuple[Annotation, bool]) -> Picture:
    annotation, embedded = known
    if embedded:
        return Picture(file, annotation, None)
    linked = at(root, path_inside(path.rpartition("/")[0], annotation.imagePath, file))
    if not linked.is_file():
        raise SegError(f"{file}: its image {linked} is missing; add it, or correct imagePath in the file")
    return Picture(file, annotation, linked)


def _names(root: Traversable, pictures: Mapping[str, Picture]) -> list[str]:
    """The classes in the order of their indices, the background first."""
    file = _labels_file(root, pictures)
    labels = read_lines(file) if file else sorted(_labels(pictures))
    return [BACKGROUND, *(name for name in labels if name not in (BACKGROUND, IGNORED))]


def _labels_file(root: Traversable, pictures: Mapping[str, Picture]) -> Traversable | None:
    """The nearest one, beside the annotations or above."""
    found: dict[str, Traversable] = {}
    for folder in {path.rpartition("/")[0] for path in pictures}:
        parts = folder.split("/") if folder else []
        above = ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]
        nearest = next((place for place in above if (at(root, place) / LABELS).is_file()), None)
        if nearest is not None:
            found[nearest] = at(root, nearest) / LABELS
    if len({tuple(read_lines(file)) for file in found.values()}) > 1:
        raise SegError(f"lists of labels that differ: {listing(sorted(map(str, found.values())))}; keep one")
    return found[min(found)] if found else None


def _labels(pictures: Mapping[str, Picture]) -> set[str]:
    return {shape.label for picture in pictures.values() for shape in picture.annotation.shapes}


def _check_labels(pictures: Mapping[str, Picture], values: Mapping[str, int]) -> None:
    unknown = sorted(_labels(pictures) - values.keys())
    if not unknown:
        return
    files = [
        picture.file
        for picture in pictures.values()
        if any(shape.label in unknown for shape in picture.annotation.shapes)
    ]
    raise SegError(
        f"{listing(files)}: labels that {LABELS} lacks: {listing(map(repr, unknown))}; add them, or rename them"
    )
