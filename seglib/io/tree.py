"""Files anywhere below a folder, by their path in it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from seglib.errors import SegError
from seglib.io.lists import visible


def walk(root: Traversable, suffixes: Sequence[str]) -> dict[str, Traversable]:
    """The files whose names end in `suffixes`, whatever the case, at any depth: path → file, by path.

    A link to a folder above it is passed over.
    """
    return dict(sorted(_walk(root, tuple(suffixes), "", ())))


def path_inside(folder: str, path: str, where: object) -> str:
    """A path that the file `where` names relative to `folder`, both below the root, as one path below the root.

    Raises SegError where it is absolute or leads out of the root.
    """
    plain = path.replace("\\", "/")
    parts = [part for part in folder.split("/") if part]
    if plain.startswith("/") or PurePosixPath(plain).is_absolute() or ":" in plain.partition("/")[0]:
        raise SegError(f"{where}: the path '{path}' is absolute; write it relative to its own folder")
    for part in plain.split("/"):
        if part == ".." and not parts:
            raise SegError(f"{where}: the path '{path}' points outside the data set; do not trust it")
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def at(root: Traversable, path: str) -> Traversable:
    """The file at a path below the root; whether it exists is not looked at."""
    return root.joinpath(*path.split("/")) if path else root


def unique_ids(paths: Iterable[str]) -> dict[str, str]:
    """An id for each path: the stem of its name, with its folders before it where stems repeat."""
    stems = {path: PurePosixPath(path).stem for path in paths}
    times = Counter(stems.values())
    return {
        path: stem if times[stem] == 1 else "-".join([*PurePosixPath(path).parent.parts, stem])
        for path, stem in stems.items()
    }


def _walk(
    folder: Traversable, suffixes: tuple[str, ...], before: str, above: tuple[Path, ...]
) -> Iterator[tuple[str, Traversable]]:
    if isinstance(folder, Path):
        here = folder.resolve()
        if here in above:
            return
        above = (*above, here)
    for child in visible(folder):
        if child.is_dir():
            yield from _walk(child, suffixes, f"{before}{child.name}/", above)
        elif child.name.lower().endswith(suffixes):
            yield before + child.name, child
