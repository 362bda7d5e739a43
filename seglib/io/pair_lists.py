"""Lists of pairs, `images/a.jpg labels/a.png` a line, one list for each side of the split."""

from collections import Counter
from importlib.resources.abc import Traversable
from typing import NamedTuple

from seglib.errors import SegError, listing
from seglib.io.lists import read_lines, visible
from seglib.io.sample import Side
from seglib.io.tree import at, path_inside, unique_ids

LISTS: dict[Side, str] = {"train": "train.txt", "val": "val.txt", "test": "test.txt"}


class ListedPair(NamedTuple):
    """An image and its mask, as a list names them."""

    image: Traversable
    mask: Traversable
    side: Side


def listed_pairs(root: Traversable) -> dict[str, ListedPair] | None:
    """The pairs of the lists in `root`, or at most two levels below it, by id; None where no list names pairs.

    Paths are relative to the folder of the lists, parted by a tab or a space. Raises SegError that names
    lines which are no pair, files which are not there, and images which stand twice or are called alike.
    """
    folder = _folder_of_lists(root)
    if folder is None:
        return None
    found: dict[str, ListedPair] = {}
    for side, name in LISTS.items():
        file = folder / name
        for line in read_lines(file) if file.is_file() else []:
            image, mask = (path_inside("", path, file) for path in _paths(line, file))
            if image in found:
                raise SegError(f"{file}: '{image}' also stands in {LISTS[found[image].side]}; strike one of the lines")
            found[image] = ListedPair(at(folder, image), at(folder, mask), side)
    _check_files(folder, found)
    ids = unique_ids(found)
    taken = Counter(ids.values())
    if alike := [path for path, name in ids.items() if taken[name] > 1]:
        raise SegError(f"{folder}: listed images of the same name: {listing(alike)}; rename one of each")
    return dict(sorted((ids[path], pair) for path, pair in found.items()))


def _check_files(folder: Traversable, found: dict[str, ListedPair]) -> None:
    missing = [file for pair in found.values() for file in (pair.image, pair.mask) if not file.is_file()]
    if missing:
        raise SegError(f"{folder}: listed but missing: {listing(missing)}; add the files, or strike their lines")


def _folder_of_lists(root: Traversable) -> Traversable | None:
    level = [root]
    for _ in range(3):
        for folder in level:
            files = [folder / name for name in LISTS.values() if (folder / name).is_file()]
            if any(_is_pair(line) for file in files for line in read_lines(file)[:1]):
                return folder
        level = [child for folder in level for child in visible(folder) if child.is_dir()]
    return None


def _paths(line: str, file: Traversable) -> list[str]:
    paths = _split(line)
    if len(paths) != 2:
        raise SegError(f"{file}: '{line}' is not the path of an image and that of its mask; correct the line")
    return paths


def _is_pair(line: str) -> bool:
    """Whether a line holds the names of two files; a single one may have a space in it."""
    paths = _split(line)
    return len(paths) == 2 and all("." in path for path in paths)


def _split(line: str) -> list[str]:
    return [part.strip() for part in line.split("\t")] if "\t" in line else line.split()
