"""Cityscapes: street scenes of 50 cities, 19 classes, from the user's own download (2975 + 500 images).

Cityscapes has no background, and class 0 is left out of the mean metrics. So an empty class `void`
stands first and the 19 classes behind it, each one above its published train id; all other labels are
ignored. The test images have no public labels and are left out.
"""

from importlib.resources.abc import Traversable

import numpy as np

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io.archive import enter
from seglib.io.classes import Colour, class_list
from seglib.io.images import read_image, read_indices
from seglib.io.lists import by_ending, pair_by_name, visible
from seglib.io.masks import class_indices
from seglib.io.sample import IGNORE, Sample, Side, Spec, file_sample

PUBLISHED = None
CLASSES: dict[str, tuple[int, Colour]] = {
    "road": (7, (128, 64, 128)),
    "sidewalk": (8, (244, 35, 232)),
    "building": (11, (70, 70, 70)),
    "wall": (12, (102, 102, 156)),
    "fence": (13, (190, 153, 153)),
    "pole": (17, (153, 153, 153)),
    "traffic_light": (19, (250, 170, 30)),
    "traffic_sign": (20, (220, 220, 0)),
    "vegetation": (21, (107, 142, 35)),
    "terrain": (22, (152, 251, 152)),
    "sky": (23, (70, 130, 180)),
    "person": (24, (220, 20, 60)),
    "rider": (25, (255, 0, 0)),
    "car": (26, (0, 0, 142)),
    "truck": (27, (0, 0, 70)),
    "bus": (28, (0, 60, 100)),
    "train": (31, (0, 80, 100)),
    "motorcycle": (32, (0, 0, 230)),
    "bicycle": (33, (119, 11, 32)),
}
"""The published label id and colour of each train id, in order."""
FROM_LABEL_IDS = dict.fromkeys((*range(34), 255), IGNORE) | {
    label: index for index, (label, _) in enumerate(CLASSES.values(), start=1)
}
"""255 is the licence plate's −1 in a byte."""
FROM_TRAIN_IDS = {train_id: train_id + 1 for train_id in range(len(CLASSES))} | {255: IGNORE}
SIDES: tuple[Side, ...] = ("train", "val")
IMAGES, LABELS = "leftImg8bit", "gtFine"
LABEL_ENDING, TRAIN_ENDING = "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png"


class Params(Section):
    """The data set has no options."""


def spec(_root: Traversable, _params: Params) -> Spec:
    """Nineteen classes of a street behind the empty `void`, on colour images."""
    colours = [colour for _, colour in CLASSES.values()]
    return Spec(
        classes=class_list(["void", *CLASSES], [(0, 0, 0), *colours]),
        channels=3,
        modality="photograph",
        licence="Cityscapes terms of use: non-commercial, after registration",
        citation="Cordts et al., The Cityscapes Dataset for Semantic Urban Scene Understanding, CVPR 2016",
    )


def samples(root: Traversable, _params: Params) -> list[Sample]:
    """The images of `train` and `val` with their fine labels; a city is a group.

    Label ids are read, or train ids where an image has no others. Raises SegError that names images
    without labels and labels without image.
    """
    images, labels = _parts(root)
    found = [
        sample
        for side in SIDES
        for city in sorted({child.name for part in (images, labels) for child in visible(part / side)})
        for sample in _city(images / side / city, labels / side / city, side)
    ]
    if not found:
        raise SegError(f"{images}: no images in {' or '.join(SIDES)}/<city>; fetch leftImg8bit_trainvaltest.zip again")
    return sorted(found, key=lambda sample: sample.id)


def _city(images: Traversable, labels: Traversable, side: Side) -> list[Sample]:
    pairs = pair_by_name(
        by_ending(images, f"_{IMAGES}.png"), by_ending(labels, TRAIN_ENDING) | by_ending(labels, LABEL_ENDING)
    )
    return [
        file_sample(name, image, mask, read_image, _read_mask, group=images.name, side=side)
        for name, (image, mask) in pairs.items()
    ]


def _parts(root: Traversable) -> tuple[Traversable, Traversable]:
    """`leftImg8bit` and `gtFine`, each a folder or in a zip archive, in `root` or a folder right below it."""
    for folder in (root, *(child for child in visible(root) if child.is_dir())):
        images, labels = _part(folder, IMAGES), _part(folder, LABELS)
        if images is not None and labels is not None:
            return images, labels
    found = listing((child.name for child in visible(root)), 8) or "nothing"
    raise SegError(
        f"{root}: expected {IMAGES} and {LABELS}, or {IMAGES}_trainvaltest.zip and {LABELS}_trainvaltest.zip, "
        f"found {found}; fetch them from the authors"
    )


def _part(folder: Traversable, name: str) -> Traversable | None:
    plain = enter(folder, name)
    if plain is not None:
        return plain
    packed = enter(folder, f"{name}_trainvaltest")
    return packed / name if packed is not None and (packed / name).is_dir() else None


def _read_mask(file: Traversable) -> np.ndarray:
    mapping = FROM_TRAIN_IDS if file.name.lower().endswith(TRAIN_ENDING.lower()) else FROM_LABEL_IDS
    return class_indices(read_indices(file), mapping, file)
