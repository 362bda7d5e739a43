"""The files below a folder, one after the other, without holding more than the names of the open folders."""

from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from seglib.inputs.items import Unread
from seglib.inputs.names import natural, safe

HIDDEN = ("thumbs.db", "ehthumbs.db", "desktop.ini", "dicomdir", "$recycle.bin", "system volume information")
"""What operating systems and media leave in folders, in lower case; as well as names that begin with a dot."""


class Found(NamedTuple):
    """A file, and its path below what was named."""

    path: str
    file: Traversable


def walk(root: Traversable, path: str, without: Sequence[Path] = ()) -> Iterator[Found | Unread]:
    """Every file of a folder in natural order, at any depth; `path` is what its own path begins with.

    Hidden files are passed over, and the folders `without` below the root. A folder is entered once, whatever links
    lead to it.
    """
    entered = _passed_over(root, without)
    open_folders = [iter([Found(path, root)])]
    while open_folders:
        found = next(open_folders[-1], None)
        if found is None:
            open_folders.pop()
            continue
        try:
            if not found.file.is_dir():
                yield found
            elif _is_new(found.file, entered):
                open_folders.append(_children(found))
        except OSError as error:
            yield Unread(safe(found.path), f"{found.file}: cannot be looked into ({error.strerror})")


def _children(folder: Found) -> Iterator[Found]:
    before = f"{folder.path}/" if folder.path else ""
    names = [child.name for child in folder.file.iterdir()]
    shown = sorted((name for name in names if not _is_hidden(name)), key=natural)
    return (Found(before + name, folder.file / name) for name in shown)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX")) or name.lower() in HIDDEN


def _passed_over(root: Traversable, without: Sequence[Path]) -> set[tuple[int, int]]:
    if not isinstance(root, Path):
        return set()
    return {_key(folder) for folder in without if folder.is_dir() and not folder.samefile(root)}


def _key(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_new(folder: Traversable, entered: set[tuple[int, int]]) -> bool:
    if not isinstance(folder, Path):
        return True
    key = _key(folder)
    if key in entered:
        return False
    entered.add(key)
    return True
