"""Kvasir-SEG: 1000 endoscopy images with polyp masks (Jha et al., MMM 2020)."""

from functools import partial
from importlib.resources.abc import Traversable
from typing import Annotated

import numpy as np
from pydantic import Field

from seglib.config import Section
from seglib.io.images import read_grey, read_image
from seglib.io.lists import listed_sides
from seglib.io.pairs import find_folder, pair_files
from seglib.io.sample import Published, Sample, SegClass, Spec, file_sample

PUBLISHED = Published(
    url="https://datasets.simula.no/downloads/kvasir-seg.zip",
    sha256="03b30e21d584e04facf49397a2576738fd626815771afbbf788f74a7153478f7",
)


class Params(Section):
    """Options of the data set."""

    threshold: Annotated[int, Field(ge=0, le=254)]
    """Grey value above which a mask pixel is polyp; the masks are JPEG, so their edges are grey."""


def spec(_root: Traversable, _params: Params) -> Spec:
    """One foreground class on colour images."""
    return Spec(
        classes=(SegClass("background", (0, 0, 0)), SegClass("polyp", (86, 180, 233))),
        channels=3,
        modality="endoscopy",
        licence="research and education only",
        citation="Jha et al., Kvasir-SEG: A Segmented Polyp Dataset, MMM 2020",
    )


def samples(root: Traversable, params: Params) -> list[Sample]:
    """Pairs of `images/` and `masks/`, at the root or below the published folder.

    The official lists `train.txt` and `val.txt` count where they lie beside them or at the root.
    """
    folder = find_folder(root, "images", "masks")
    pairs = pair_files(folder, "images", "masks")
    sides = listed_sides((folder, root), {"train": "train.txt", "val": "val.txt"}, pairs)
    read_mask = partial(_read_mask, params.threshold)
    return [
        file_sample(stem, image, mask, read_image, read_mask, side=sides.get(stem))
        for stem, (image, mask) in pairs.items()
    ]


def _read_mask(threshold: int, file: Traversable) -> np.ndarray:
    return (read_grey(file) > threshold).astype(np.uint8)
