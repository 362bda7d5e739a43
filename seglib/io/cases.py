"""Images with their masks in the layouts that people keep their own data in."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable

from seglib.errors import SegError, listing, nearest
from seglib.io.lists import listed_sides, visible
from seglib.io.pair_lists import LISTS, listed_pairs
from seglib.io.pairs import Folders, all_by_stem, match_masks, pair_stems, paired_folders, refuse_others
from seglib.io.sample import Side, file_fingerprint
from seglib.io.tree import unique_ids


@dataclass(frozen=True)
class Case:
    """An image file with one mask file of all classes, or with one for each class by the class's name."""

    id: str
    image: Traversable
    mask: Traversable | None
    parts: Mapping[str, Traversable]
    side: Side | None = None

    @property
    def files(self) -> list[Traversable]:
        """The image and all its masks."""
        return [self.image, *([self.mask] if self.mask else []), *self.parts.values()]

    def fingerprint(self) -> str:
        """Hash the content of all files, and which class each mask is of."""
        content = file_fingerprint(*self.files)
        return hashlib.sha256(" ".join([content, *self.parts]).encode()).hexdigest() if self.parts else content


def find_cases(root: Traversable, suffixes: Sequence[str], classes: Sequence[str]) -> list[Case]:
    """The cases of lists of pairs, or else of folders of images and masks, whose files end in `suffixes`.

    Raises SegError that names files which do not pair, and folders of masks of no known class.
    """
    if pairs := listed_pairs(root):
        return [Case(name, pair.image, pair.mask, {}, pair.side) for name, pair in pairs.items()]
    folders = paired_folders(root)
    if len(folders) == 1:
        cases = {case.id: case for case in _cases_in(folders[0], suffixes, classes)}
        sides = listed_sides((folders[0].home, root), LISTS, cases)
        return [replace(case, side=sides.get(name)) for name, case in cases.items()]
    found = {f"{pair.side}/{case.id}.file": case for pair in folders for case in _cases_in(pair, suffixes, classes)}
    ids = unique_ids(found)
    return [replace(case, id=ids[path]) for path, case in found.items()]


def _cases_in(folders: Folders, suffixes: Sequence[str], classes: Sequence[str]) -> list[Case]:
    inside = [child.name for child in visible(folders.masks) if child.is_dir()]
    if inside:
        return _mask_a_class(folders, inside, suffixes, classes)
    pairs = pair_stems(folders.images, folders.masks, suffixes)
    return [Case(stem, image, mask, {}, folders.side) for stem, (image, mask) in pairs.items()]


def _mask_a_class(
    folders: Folders, inside: Sequence[str], suffixes: Sequence[str], classes: Sequence[str]
) -> list[Case]:
    """The masks of each class in a folder of its own; a class without a file is absent from the image."""
    background, *foreground = classes
    if unknown := [name for name in inside if name not in classes]:
        raise SegError(
            f"{folders.masks}: folders of no declared class: {listing(unknown)}; declare them, or remove them "
            f"({nearest(unknown[0], classes)})"
        )
    if missing := [name for name in foreground if name not in inside]:
        raise SegError(
            f"{folders.masks}: no folder for the class {listing(missing)}, found {listing(inside)}; "
            f"each class but {background} needs one"
        )
    refuse_others(folders.masks, inside)
    images = all_by_stem(folders.images, suffixes)
    masks = {name: match_masks(images, all_by_stem(folders.masks / name, suffixes)) for name in foreground}
    if alone := [file for files in masks.values() for stem, file in sorted(files.items()) if stem not in images]:
        raise SegError(f"without image: {listing(alone)}\nadd the missing files or remove these")
    if not images:
        raise SegError(f"{folders.images}: no images ({', '.join(suffixes)})")
    return [
        Case(stem, image, None, {name: files[stem] for name, files in masks.items() if stem in files}, folders.side)
        for stem, image in sorted(images.items())
    ]
