"""Pascal VOC: photographs with masks of 20 classes, and whatever else is kept in its layout.

`JPEGImages` and `SegmentationClass` lie side by side, below `VOCdevkit/VOC<year>` or without it; void
(255) is ignored. Names in `class_names.txt`, as LabelMe exports it, go before VOC's own.
"""

from functools import partial
from importlib.resources.abc import Traversable

import numpy as np

from seglib.config import Section
from seglib.errors import SegError
from seglib.io import voc
from seglib.io.classes import MOST, class_list
from seglib.io.images import read_image, read_indices
from seglib.io.lists import read_lines
from seglib.io.masks import class_indices
from seglib.io.sample import IGNORE, Published, Sample, Spec, file_fingerprint, place

PUBLISHED = Published(
    url="https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
    sha256="e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
)
NAMES = "class_names.txt"


class Params(Section):
    """The data set has no options."""


def spec(root: Traversable, _params: Params) -> Spec:
    """VOC's classes, or those of `class_names.txt`, in VOC's colours."""
    names = _class_names(voc.find_years(root))
    return Spec(
        classes=class_list(names, voc.colours(len(names))),
        channels=3,
        modality="photograph",
        licence="VOC: the terms of Flickr for the photographs; your own for your own",
        citation="Everingham et al., The Pascal Visual Object Classes Challenge: A Retrospective, IJCV 111 (2015)",
    )


def samples(root: Traversable, _params: Params) -> list[Sample]:
    """The images that have a mask, on the sides of `ImageSets/Segmentation/train.txt` and `val.txt`.

    Raises SegError that names masks without image, and listed ids without image or mask.
    """
    years = voc.find_years(root)
    read_mask = partial(_read_mask, len(_class_names(years)))
    found = [
        Sample(
            id=name,
            group=name,
            image=partial(read_image, entry.image),
            mask=partial(read_mask, entry.mask),
            fingerprint=partial(file_fingerprint, entry.image, entry.mask, *_name_files([year])),
            side=entry.side,
            source=place(entry.image),
        )
        for year in years
        for name, entry in voc.read_entries(year).items()
    ]
    return sorted(found, key=lambda sample: sample.id)


def _name_files(years: list[voc.Year]) -> list[Traversable]:
    return [file for year in years if (file := year.home / NAMES).is_file()]


def _class_names(years: list[voc.Year]) -> list[str]:
    files = _name_files(years)
    if not files:
        return list(voc.CLASSES)
    names = [name for name in read_lines(files[0]) if name != "__ignore__"]
    if other := next((file for file in files if read_lines(file) != read_lines(files[0])), None):
        raise SegError(f"{files[0]} and {other} name other classes; keep one of the folders")
    if not 2 <= len(names) <= MOST:
        raise SegError(f"{files[0]}: {len(names)} classes; from 2 (background and one more) to {MOST} are possible")
    return names


def _read_mask(classes: int, file: Traversable) -> np.ndarray:
    return class_indices(read_indices(file), {**{index: index for index in range(classes)}, IGNORE: IGNORE}, file)
