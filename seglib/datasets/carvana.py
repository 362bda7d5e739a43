"""Carvana: 5088 photographs of 318 cars, 16 views of each, with the car cut out (Kaggle, 2017)."""

import re
from collections.abc import Iterable
from importlib.resources.abc import Traversable

import numpy as np

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io.images import read_image, read_indices
from seglib.io.lists import by_ending, find_parts, pair_by_name
from seglib.io.masks import class_indices
from seglib.io.sample import Kaggle, Sample, SegClass, Spec, file_sample

PUBLISHED = Kaggle("competition", "carvana-image-masking-challenge")
NAME = re.compile(r"(?P<car>[^_]+)_\d\d")


class Params(Section):
    """The data set has no options."""


def spec(_root: Traversable, _params: Params) -> Spec:
    """One foreground class on colour images."""
    return Spec(
        classes=(SegClass("background", (0, 0, 0)), SegClass("car", (86, 180, 233))),
        channels=3,
        modality="photograph",
        licence="Kaggle competition rules",
        citation="Shaler et al., Carvana Image Masking Challenge, Kaggle 2017",
    )


def samples(root: Traversable, _params: Params) -> list[Sample]:
    """Pairs of `train` and `train_masks`, packed or not; the views of a car are a group.

    Raises SegError that names files which do not pair, or are not called after a car and a view.
    """
    images, masks = find_parts(root, "train", "train_masks")
    pairs = pair_by_name(by_ending(images, ".jpg"), by_ending(masks, "_mask.gif"))
    if not pairs:
        raise SegError(f"{images}: no images named <car>_<view>.jpg; fetch train.zip again")
    cars = _cars(pairs)
    return [
        file_sample(view, image, mask, read_image, _read_mask, group=cars[view])
        for view, (image, mask) in pairs.items()
    ]


def _cars(views: Iterable[str]) -> dict[str, str]:
    matches = {view: NAME.fullmatch(view) for view in views}
    if odd := [view for view, match in matches.items() if match is None]:
        raise SegError(f"images that are not named <car>_<view>.jpg: {listing(odd)}; rename or remove them")
    return {view: match["car"] for view, match in matches.items() if match}


def _read_mask(file: Traversable) -> np.ndarray:
    return class_indices(read_indices(file), {0: 0, 1: 1}, file)
