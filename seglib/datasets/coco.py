"""COCO instances, as COCO itself, CVAT, Label Studio and Roboflow export them.

The categories are the classes, in the order of their ids. Of instances that overlap the smaller one is
seen; crowds are ignored; images without annotations are background. The name of an annotation file, or
of its folder, tells the side of the split: `instances_train2017.json`, `valid/_annotations.coco.json`.
"""

import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources.abc import Traversable

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io.classes import class_list
from seglib.io.coco import Annotations, Category, Instance, Picture, draw_instances, read_annotations
from seglib.io.images import SUFFIXES, read_image
from seglib.io.pairs import SIDES
from seglib.io.sample import Sample, Side, Spec, file_fingerprint, place
from seglib.io.tree import path_inside, unique_ids, walk

PUBLISHED = None
INSTANCES = "instances_"
"""What COCO's own files of instances begin with; those beside them are of other tasks."""
BACKGROUND = ("background", "_background_")
AUGMENTED = ".rf."
"""Stands in the names of Roboflow's copies of one image, before what tells them apart."""


class Params(Section):
    """The data set has no options."""


def spec(root: Traversable, _params: Params) -> Spec:
    """The categories behind a background."""
    return Spec(
        classes=class_list(["background", *_classes(list(_annotations(root).values()))]),
        channels=3,
        modality="photograph",
        licence="COCO: CC BY 4.0 for the annotations, the terms of Flickr for the images; your own for your own",
        citation="Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014",
    )


def samples(root: Traversable, _params: Params) -> list[Sample]:
    """One sample for each image that an annotation file names; Roboflow's copies of one image are a group.

    Prints which JSON files are passed over. Raises SegError that names damaged files, images that are not
    there or stand twice, and categories that the files declare differently.
    """
    files = _annotations(root)
    if others := sorted(walk(root, (".json",)).keys() - files.keys()):
        print(f"JSON files that are not read as COCO instances: {listing(others)}", file=sys.stderr)
    indices = _indices(list(files.values()))
    images = walk(root, SUFFIXES)
    by_name: dict[str, list[str]] = {}
    for image in images:
        by_name.setdefault(image.rpartition("/")[2], []).append(image)
    found: dict[str, tuple[str, Picture]] = {}
    for path, annotations in files.items():
        for picture in annotations.pictures:
            image = _find(picture, path, by_name, annotations.file)
            if image in found:
                raise SegError(f"{annotations.file}: '{image}' is named twice, also in {found[image][0]}; keep one")
            found[image] = (path, picture)
    ids = unique_ids(found)
    sides = _sides(files)
    return sorted(
        (
            _sample(ids[image], images[image], picture, files[path], (indices, sides[path]))
            for image, (path, picture) in found.items()
        ),
        key=lambda sample: sample.id,
    )


def _sample(
    name: str,
    image: Traversable,
    picture: Picture,
    annotations: Annotations,
    known: tuple[Mapping[int, int], Side | None],
) -> Sample:
    indices, side = known
    instances = annotations.instances[picture.id]
    return Sample(
        id=name,
        group=name.partition(AUGMENTED)[0],
        image=partial(read_image, image),
        mask=partial(draw_instances, instances, (picture.height, picture.width), indices, annotations.file),
        fingerprint=partial(_fingerprint, image, picture, instances, indices),
        side=side,
        source=place(image),
    )


def _fingerprint(
    image: Traversable, picture: Picture, instances: Sequence[Instance], indices: Mapping[int, int]
) -> str:
    said = [picture.model_dump(), [one.model_dump() for one in instances], sorted(indices.items())]
    return hashlib.sha256(f"{file_fingerprint(image)}{json.dumps(said)}".encode()).hexdigest()


def _annotations(root: Traversable) -> dict[str, Annotations]:
    files = walk(root, (".json",))
    own = {path: file for path, file in files.items() if file.name.startswith(INSTANCES)}
    found = {path: read for path, file in (own or files).items() if (read := read_annotations(file))}
    if not any(read.pictures for read in found.values()):
        raise SegError(f"{root}: no COCO annotations; expected a JSON file with images, annotations and categories")
    return found


def _categories(files: Sequence[Annotations]) -> dict[int, Category]:
    """By id; without the empty one that Roboflow puts before the others as their super-category."""
    known: dict[int, Category] = {}
    for read in files:
        for category in read.categories:
            if (other := known.setdefault(category.id, category)).name != category.name:
                raise SegError(
                    f"{read.file}: category {category.id} is '{category.name}' here and '{other.name}' in another "
                    "file; export all files from one project"
                )
    used = {one.category_id for read in files for instances in read.instances.values() for one in instances}
    above = {category.supercategory for category in known.values() if category.supercategory != category.name}
    return {key: known[key] for key in sorted(known) if key in used or known[key].name not in above}


def _classes(files: Sequence[Annotations]) -> list[str]:
    return [category.name for category in _categories(files).values() if category.name.lower() not in BACKGROUND]


def _indices(files: Sequence[Annotations]) -> dict[int, int]:
    """Category id → class index."""
    names = _classes(files)
    return {key: names.index(one.name) + 1 if one.name in names else 0 for key, one in _categories(files).items()}


def _sides(files: Mapping[str, Annotations]) -> dict[str, Side | None]:
    """The side of each file; None for all where they are not of several sides."""
    sides: dict[str, Side | None] = {path: _side(path) for path in files}
    return sides if len(set(sides.values())) > 1 else dict.fromkeys(files)


def _side(path: str) -> Side | None:
    """By the last part of the path that names one, such as `train` in `instances_train2017.json`."""
    for part in reversed(path.lower().split("/")):
        words: list[str] = re.findall(r"[a-z]+", part)
        for word in words:
            if word in SIDES:
                return SIDES[word]
    return None


def _find(picture: Picture, path: str, images: Mapping[str, Sequence[str]], file: Traversable) -> str:
    """The path of an image that the file at `path` names: relative to it, or below other folders."""
    folder = path.rpartition("/")[0]
    named = path_inside("", picture.file_name, file)
    same = images.get(named.rpartition("/")[2], ())
    if (beside := f"{folder}/{named}".lstrip("/")) in same:
        return beside
    fitting = [image for image in same if f"/{image}".endswith(f"/{named}")]
    if len(fitting) > 1:
        fitting = [image for image in fitting if _side(image) == _side(path)] or fitting
    if not fitting:
        raise SegError(f"{file}: its image '{picture.file_name}' is missing; add it, or export without it")
    if len(fitting) > 1:
        raise SegError(f"{file}: unclear which image is '{picture.file_name}': {listing(fitting)}; keep one")
    return fitting[0]
