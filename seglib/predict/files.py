"""Files that appear at once or not at all, and never outside of their folder."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from seglib.errors import SegError, listing
from seglib.whole_files import whole


def inside(root: Path, *paths: str) -> list[Path]:
    """Relative paths below a folder.

    Raises SegError where one leads out of it, by its parts or by a link.
    """
    top, known = root.resolve(), set[Path]()
    found = []
    for path in paths:
        place = root.joinpath(*PurePosixPath(path).parts)
        if path.startswith("/") or ".." in place.relative_to(root).parts or not _lies_in(top, place.parent, known):
            raise SegError(f"{root}: {path} would lie outside of it; rename the input, or take the link away")
        found.append(place)
    return found


def _lies_in(top: Path, folder: Path, known: set[Path]) -> bool:
    """Whether a folder lies in another whatever its links; looks at each but once."""
    if folder not in known and not folder.resolve().is_relative_to(top):
        return False
    known.add(folder)
    return True


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raise SegError that names files which are there already."""
    if found := [path for path in paths if os.path.lexists(path)]:
        raise SegError(
            f"{len(found)} of the files to be written are there already: {listing(found, 3)}; choose another --out, or "
            "overwrite them with --force"
        )


def write_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file, which then appears whole in place of what has the name.

    Raises SegError where that is not possible.
    """
    try:
        with whole(path) as new:
            write(new)
    except OSError as error:
        raise SegError(f"{path}: cannot be written ({error.strerror}); make room, or correct its rights") from None


def write_atomically(path: Path, content: bytes) -> None:
    """Write bytes as `write_with` does."""
    write_with(path, lambda new: new.write_bytes(content))
