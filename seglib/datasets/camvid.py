"""CamVid: frames of four drives with 11 classes, as SegNet's authors arranged them (480×360 pixels).

CamVid has no background, and class 0 is left out of the mean metrics. So an empty class `void` stands
first and the 11 classes behind it, each one up; CamVid's own void pixels are ignored, as in SegNet.
Frames of one drive stand on several sides of the official split.
"""

from collections.abc import Iterator
from importlib.resources.abc import Traversable

import numpy as np

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io.classes import Colour, class_list
from seglib.io.images import read_image, read_indices
from seglib.io.lists import by_ending, pair_by_name, read_lines
from seglib.io.masks import class_indices
from seglib.io.pairs import find_folder
from seglib.io.sample import IGNORE, Sample, Side, Spec, file_sample

PUBLISHED = None
CLASSES: dict[str, Colour] = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "pavement": (60, 40, 222),
    "tree": (128, 128, 0),
    "sign_symbol": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (64, 0, 128),
    "pedestrian": (64, 64, 0),
    "bicyclist": (0, 128, 192),
}
"""In the order of the indices in the mask files; the index behind them is void."""
MAPPING = {**{index: index + 1 for index in range(len(CLASSES))}, len(CLASSES): IGNORE}
SIDES: tuple[Side, ...] = ("train", "val", "test")
Pair = tuple[Traversable, Traversable]


class Params(Section):
    """The data set has no options."""


def spec(_root: Traversable, _params: Params) -> Spec:
    """Eleven classes of a street behind the empty `void`, on colour images."""
    return Spec(
        classes=class_list(["void", *CLASSES], [(0, 0, 0), *CLASSES.values()]),
        channels=3,
        modality="photograph",
        licence="non-commercial",
        citation="Brostow et al., Semantic object classes in video, Pattern Recognition Letters 30 (2009)",
    )


def samples(root: Traversable, _params: Params) -> list[Sample]:
    """The pairs that `train.txt`, `val.txt` and `test.txt` name, or all of a side's folders where it has no list.

    The frames of a drive are a group. Raises SegError that names listed files which are not there, files
    which do not pair, and frames that stand twice.
    """
    folder = find_folder(root, "train", "trainannot")
    found: dict[str, tuple[Side, Pair]] = {}
    for side in SIDES:
        for frame, pair in _pairs(folder, side):
            if frame in found:
                raise SegError(f"{frame}: stands twice, as {found[frame][1][0]} and {pair[0]}; strike one of them")
            found[frame] = (side, pair)
    if not found:
        raise SegError(f"{folder}: no frames in train; fetch the archive again")
    return [
        file_sample(frame, *pair, read_image, _read_mask, group=frame.partition("_")[0], side=side)
        for frame, (side, pair) in sorted(found.items())
    ]


def _pairs(folder: Traversable, side: Side) -> Iterator[tuple[str, Pair]]:
    table = folder / f"{side}.txt"
    if not table.is_file():
        images, masks = by_ending(folder / side, ".png"), by_ending(folder / f"{side}annot", ".png")
        yield from pair_by_name(images, masks).items()
        return
    lines = [_listed_pair(folder, line, table) for line in read_lines(table)]
    if missing := [file for pair in lines for file in pair if not file.is_file()]:
        raise SegError(f"{table}: listed but missing: {listing(missing)}; add the files, or strike their lines")
    for image, mask in lines:
        yield image.name.rpartition(".")[0], (image, mask)


def _listed_pair(folder: Traversable, line: str, table: Traversable) -> Pair:
    """Of `/SegNet/CamVid/train/a.png /SegNet/CamVid/trainannot/a.png` the last two parts of each path count."""
    paths = [path.split("/")[-2:] for path in line.split()]
    if len(paths) != 2 or any(len(path) != 2 or ".." in path for path in paths):
        raise SegError(f"{table}: '{line}' is not the path of an image and that of its mask; correct the line")
    image, mask = (folder / parent / name for parent, name in paths)
    return image, mask


def _read_mask(file: Traversable) -> np.ndarray:
    return class_indices(read_indices(file), MAPPING, file)
