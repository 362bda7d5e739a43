"""Data Science Bowl 2018: 670 microscopy images of nine sizes with each nucleus cut out (Kaggle, 2018).

The nuclei of an image are merged into one class; how many they are stays in the index. Annotations are
taken as published: image 7b38c9173ebe… shows dozens of nuclei, and its only mask covers 26 pixels.
"""

from collections.abc import Sequence
from functools import partial
from importlib.resources.abc import Traversable

import numpy as np

from seglib.config import Section
from seglib.errors import SegError
from seglib.io.images import read_grey, read_image
from seglib.io.lists import by_ending, find_parts, visible
from seglib.io.masks import class_indices
from seglib.io.sample import Kaggle, Sample, SegClass, Spec, file_fingerprint, place

PUBLISHED = Kaggle("competition", "data-science-bowl-2018")


class Params(Section):
    """The data set has no options."""


def spec(_root: Traversable, _params: Params) -> Spec:
    """One foreground class on colour images; their alpha channel, opaque everywhere, is dropped."""
    return Spec(
        classes=(SegClass("background", (0, 0, 0)), SegClass("nucleus", (86, 180, 233))),
        channels=3,
        modality="microscopy",
        licence="CC0",
        citation="Caicedo et al., Nucleus segmentation across imaging experiments, Nature Methods 16 (2019)",
    )


def samples(root: Traversable, _params: Params) -> list[Sample]:
    """The folders of `stage1_train`, packed or not; no groups are published, so each image is its own.

    Raises SegError that names a folder without masks, or with no image or several.
    """
    return [_sample(folder) for folder in _folders(root)]


def _folders(root: Traversable) -> list[Traversable]:
    if not any((folder / "images").is_dir() for folder in visible(root)):
        (root,) = find_parts(root, "stage1_train")
    folders = [folder for folder in visible(root) if folder.is_dir()]
    if not folders:
        raise SegError(f"{root}: no folders <id>/images and <id>/masks; fetch stage1_train.zip again")
    return folders


def _sample(folder: Traversable) -> Sample:
    images = list(by_ending(folder / "images", ".png").values())
    masks = list(by_ending(folder / "masks", ".png").values())
    if len(images) != 1:
        raise SegError(f"{folder / 'images'}: expected one PNG image, found {len(images)}; add it, or remove the rest")
    if not masks:
        raise SegError(f"{images[0]}: no PNG masks in {folder / 'masks'}; add them, or remove the image")
    return Sample(
        id=folder.name,
        group=folder.name,
        image=partial(read_image, images[0]),
        mask=partial(_read_masks, images[0], masks),
        fingerprint=partial(file_fingerprint, images[0], *masks),
        source=place(images[0]),
        facts={"nuclei": len(masks)},
    )


def _read_masks(image: Traversable, files: Sequence[Traversable]) -> np.ndarray:
    merged = np.zeros(read_image(image).shape[:2], np.uint8)
    for file in files:
        nucleus = class_indices(read_grey(file), {0: 0, 255: 1}, file)
        if nucleus.shape != merged.shape:
            raise SegError(
                f"{file}: has {_extent(nucleus)} pixels, its image {image} {_extent(merged)}; "
                "both must have the same size"
            )
        merged |= nucleus
    return merged


def _extent(pixels: np.ndarray) -> str:
    return "×".join(map(str, pixels.shape[::-1]))
