"""The files, folders and archives that a user names, by paths or by patterns."""

import os
from collections.abc import Iterator, Sequence
from glob import has_magic
from pathlib import Path, PurePath
from typing import NamedTuple

from seglib.errors import SegError
from seglib.inputs.names import natural, split_suffix
from seglib.io.archive import ARCHIVES


class Named(NamedTuple):
    """A path as the user wrote it, and where its results belong."""

    path: Path
    place: str
    """Relative to the folder that all named paths lie in; "" for the only one, where it holds others."""


class Selection(NamedTuple):
    """Everything that was named."""

    named: list[Named]
    home: str
    """Name of the folder or archive that all of it lies in."""


def select(paths: Sequence[str], without: Sequence[Path] = ()) -> Selection:
    """Find what the paths and patterns name; what is named twice, or lies inside a named folder, counts once.

    Patterns are those of the shell, with `**` for folders at any depth. They pass over what lies in one of the folders
    `without`, unless they begin in it; such a folder is itself passed over beside others, as the shell names it for
    `*`. Raises SegError that names each path that does not exist, and each pattern without a match, or where nothing
    but such folders is named.
    """
    found: dict[str, Path] = {}
    problems: list[str] = []
    passed = passed_over(paths, without)
    for path in paths:
        if path in passed:
            continue
        try:
            for match in _matches(path, without):
                found.setdefault(_place(match), match)
        except SegError as error:
            problems.append(str(error))
    if passed and not found:
        problems += [
            f"{path}: results among the images would be images of the next run; name another --out" for path in passed
        ]
    if problems or not found:
        raise SegError("\n".join(problems) or "nothing is named; name images, folders or archives")
    folders = {place for place, path in found.items() if path.is_dir()}
    return _placed({place: path for place, path in found.items() if not _lies_inside(place, folders)})


def passed_over(paths: Sequence[str], without: Sequence[Path]) -> list[str]:
    """Those of the paths that name one of the folders `without`, also by a link."""
    apart = set(map(os.path.realpath, without))
    return [path for path in paths if os.path.exists(path) and os.path.realpath(path) in apart]  # noqa: PTH110  (as below)


def holds_others(path: Path) -> bool:
    """Whether it is a folder, or a file that is called like an archive."""
    return path.is_dir() or (path.is_file() and path.name.lower().endswith(ARCHIVES))


def _matches(path: str, without: Sequence[Path]) -> list[Path]:
    """A path itself where there is such a file, whatever its characters mean in a pattern."""
    if os.path.exists(path):  # noqa: PTH110  (also says no to what no file can be called)
        return [Path(path)]
    if os.path.islink(path):  # noqa: PTH114  (as above)
        raise SegError(f"{path}: is a link that leads nowhere; mend it, or name the file itself")
    if not has_magic(path):
        raise SegError(f"{path}: does not exist; name an image, a folder or an archive")
    found = sorted(_glob(path, without), key=lambda match: natural(str(match)))
    if not found:
        raise SegError(f"{path}: no file matches; put it in quotes where the shell shall leave it as it is")
    return found


def _glob(pattern: str, without: Sequence[Path]) -> Iterator[Path]:
    parts = PurePath(pattern).parts
    fixed = next(number for number, part in enumerate(parts) if has_magic(part))
    base, rest = Path(*parts[:fixed]), PurePath(*parts[fixed:])
    hidden = any(part.startswith(".") for part in rest.parts)
    results = set(map(os.path.realpath, without))
    apart = {folder for folder in results if not _lies_inside(f"{os.path.realpath(base)}/", {folder})}
    try:
        for match in base.glob(str(rest)):
            place = os.path.realpath(match)
            if place in results or _lies_inside(place, apart):
                continue
            if hidden or not any(part.startswith(".") for part in match.relative_to(base).parts):
                yield match
    except ValueError as error:
        raise SegError(f"{pattern}: no pattern of paths ({error})") from None


def _place(path: Path) -> str:
    """The path in the one way in which paths are compared."""
    return os.path.normpath(path.absolute())


def _lies_inside(place: str, folders: set[str]) -> bool:
    above = os.path.dirname(place)  # noqa: PTH120  (of a hundred thousand)
    while above not in folders:
        place, above = above, os.path.dirname(above)  # noqa: PTH120  (as above)
        if above == place:
            return False
    return True


def _placed(found: dict[str, Path]) -> Selection:
    (place, path), *others = found.items()
    if not others and holds_others(path):
        name = PurePath(place).name
        return Selection([Named(path, "")], name if path.is_dir() else split_suffix(name)[0])
    home = os.path.commonpath({os.path.dirname(place) for place in found})  # noqa: PTH120
    named = [Named(path, PurePath(place).relative_to(home).as_posix()) for place, path in found.items()]
    return Selection(named, PurePath(home).name)
