"""Pascal VOC's names, and the folders and lists of its segmentation task."""

from collections.abc import Iterable
from importlib.resources.abc import Traversable
from typing import NamedTuple

from seglib.errors import SegError, listing
from seglib.io.classes import Colour
from seglib.io.images import SUFFIXES
from seglib.io.lists import listed_sides, read_lines, visible
from seglib.io.pair_lists import LISTS
from seglib.io.pairs import by_stem
from seglib.io.sample import Side

CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
"""In the order of the indices in the masks."""
IMAGES = "JPEGImages"
MASKS = ("SegmentationClass", "SegmentationClassPNG")
ALL_LISTED = "trainval.txt"


class Year(NamedTuple):
    """A folder of images and one of masks, as VOC has them for each year."""

    home: Traversable
    masks: Traversable


class Entry(NamedTuple):
    """An image, its mask, and the side on which the lists put it."""

    image: Traversable
    mask: Traversable
    side: Side | None


def colours(number: int) -> list[Colour]:
    """VOC's own palette: the bits of the index, dealt to red, green and blue."""
    return [_colour(index) for index in range(number)]


def find_years(root: Traversable) -> list[Year]:
    """The folders with `JPEGImages` and `SegmentationClass` in `root` or at most three levels below it.

    Raises SegError that says what was found instead.
    """
    level = [root]
    for _ in range(4):
        if years := [year for folder in level if (year := _year(folder))]:
            return years
        level = [child for folder in level for child in visible(folder) if child.is_dir()]
    found = listing((child.name for child in visible(root)), 8) or "nothing"
    raise SegError(f"{root}: expected the folders {IMAGES} and {MASKS[0]}, found {found}")


def read_entries(year: Year) -> dict[str, Entry]:
    """The images that have a mask, by id in order.

    Warns on the screen where `trainval.txt` is not the sum of `train.txt` and `val.txt`. Raises SegError that
    names masks without image, ids in two lists, and listed ids without image or mask.
    """
    images, masks = by_stem(year.home / IMAGES, SUFFIXES), by_stem(year.masks, SUFFIXES)
    if alone := sorted(masks.keys() - images.keys()):
        raise SegError(
            f"without image: {listing(masks[name] for name in alone)}\nadd the missing files or remove these"
        )
    if not masks:
        raise SegError(f"{year.masks}: no masks ({', '.join(SUFFIXES)})")
    lists = year.home / "ImageSets" / "Segmentation"
    sides = listed_sides((lists,), LISTS, images)
    _check_masks(lists, sides, masks)
    _check_sum(lists / ALL_LISTED, {name for name, side in sides.items() if side != "test"})
    return {name: Entry(images[name], masks[name], sides.get(name)) for name in sorted(masks)}


def _check_masks(lists: Traversable, sides: Iterable[str], masks: Iterable[str]) -> None:
    if missing := sorted(set(sides) - set(masks)):
        raise SegError(f"{lists}: no mask for {listing(missing)}; add the masks, or strike them from the list")


def _check_sum(file: Traversable, parts: set[str]) -> None:
    if not file.is_file():
        return
    total = {line.split()[0] for line in read_lines(file)}
    if odd := sorted(total ^ parts):
        print(f"warning: {file} is not the sum of train.txt and val.txt, which count: {listing(odd)}")


def _year(folder: Traversable) -> Year | None:
    masks = [folder / name for name in MASKS if (folder / name).is_dir()]
    return Year(folder, masks[0]) if masks and (folder / IMAGES).is_dir() else None


def _colour(index: int) -> Colour:
    red = green = blue = 0
    for bit in range(8):
        red |= (index >> (3 * bit) & 1) << (7 - bit)
        green |= (index >> (3 * bit + 1) & 1) << (7 - bit)
        blue |= (index >> (3 * bit + 2) & 1) << (7 - bit)
    return red, green, blue
