"""What belongs together by its name: parts of an archive, images and masks, and split lists."""

from collections.abc import Collection, Mapping, Sequence
from importlib.resources.abc import Traversable

from seglib.errors import SegError, listing
from seglib.io.archive import enter, read_bytes
from seglib.io.images import SUFFIXES
from seglib.io.sample import Side

HIDDEN = (".", "__MACOSX", "Thumbs.db")


def visible(folder: Traversable) -> list[Traversable]:
    """The children of a folder by name, without what operating systems leave there; [] where it is none."""
    if not folder.is_dir():
        return []
    children = (child for child in folder.iterdir() if not child.name.startswith(HIDDEN))
    return sorted(children, key=lambda child: child.name)


def find_parts(root: Traversable, *names: str) -> list[Traversable]:
    """The folders `names`, each perhaps still packed, side by side in `root` or at most two levels below it.

    Raises SegError that says what was found instead.
    """
    level = [root]
    for _ in range(3):
        for folder in level:
            parts = [part for name in names if (part := _part(folder, name)) is not None]
            if len(parts) == len(names):
                return parts
        level = [child for folder in level for child in visible(folder) if child.is_dir()]
    found = listing((child.name for child in visible(root)), 8) or "nothing"
    raise SegError(f"{root}: expected {' and '.join(names)}, each as a folder or a zip archive, found {found}")


def _part(folder: Traversable, name: str) -> Traversable | None:
    """Also where unpacking has put a folder into another of the same name."""
    part = enter(folder, name)
    return part / name if part is not None and (part / name).is_dir() else part


def by_ending(folder: Traversable, ending: str) -> dict[str, Traversable]:
    """The files of a folder whose names end so, whatever the case: the name before the ending → file.

    Raises SegError where two names differ in the case of the ending only.
    """
    files: dict[str, Traversable] = {}
    for file in visible(folder):
        if not file.name.lower().endswith(ending.lower()):
            continue
        stem = file.name[: -len(ending)]
        if stem in files:
            raise SegError(f"two files for '{stem}': {files[stem].name} and {file.name} in {folder}")
        files[stem] = file
    return files


def pair_by_name(
    images: Mapping[str, Traversable], masks: Mapping[str, Traversable]
) -> dict[str, tuple[Traversable, Traversable]]:
    """Image and mask of each name, in order.

    Raises SegError that names images without mask and masks without image.
    """
    problems = []
    if without_mask := sorted(images.keys() - masks.keys()):
        problems.append(f"without mask: {listing(images[name] for name in without_mask)}")
    if without_image := sorted(masks.keys() - images.keys()):
        problems.append(f"without image: {listing(masks[name] for name in without_image)}")
    if problems:
        raise SegError("\n".join(problems) + "\nadd the missing files or remove these")
    return {name: (images[name], masks[name]) for name in sorted(images)}


def read_lines(file: Traversable) -> list[str]:
    """The lines of a text file that are not blank, without the space around them.

    Raises SegError where it is not UTF-8.
    """
    try:
        text = read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SegError(f"{file}: is no UTF-8 text ({error}); save it as UTF-8") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def listed_sides(folders: Sequence[Traversable], lists: Mapping[Side, str], ids: Collection[str]) -> dict[str, Side]:
    """The side of each id that the lists name; of two lists called alike, that of the first folder counts.

    A line is an id or the name of its file, with or without folders before it. Raises SegError where an
    id stands in two lists, or is not one of `ids`.
    """
    sides: dict[str, tuple[Side, Traversable]] = {}
    for side, name in lists.items():
        file = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if file is None:
            continue
        named = [_listed_id(line, ids) for line in read_lines(file)]
        if unknown := [entry for entry in named if entry not in ids]:
            raise SegError(f"{file}: no image for {listing(unknown)}; add the images, or strike them from the list")
        if doubled := [entry for entry in named if sides.get(entry, (side, file))[0] != side]:
            raise SegError(f"{listing(doubled)}: both in {sides[doubled[0]][1]} and in {file}; strike one of the lines")
        sides.update((entry, (side, file)) for entry in named)
    return {entry: side for entry, (side, _) in sides.items()}


def _listed_id(line: str, ids: Collection[str]) -> str:
    name = line.replace("\\", "/").rpartition("/")[2]
    stem, _, suffix = name.rpartition(".")
    return stem if name not in ids and f".{suffix.lower()}" in SUFFIXES else name
