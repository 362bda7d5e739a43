"""Archives and folders, read alike through `Traversable`; nothing is ever unpacked."""

import lzma
import zipfile
import zlib
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath, PureWindowsPath

from seglib.errors import SegError

LARGEST_RATIO = 200
"""Unpacked over packed bytes; images and volumes stay far below it."""
HARMLESS_BYTES = 1 << 30
"""Archives that unpack to less are read whatever their ratio."""
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
"""What reading a damaged, encrypted or unreadable file raises."""


def open_source(path: Path) -> Traversable:
    """Open a folder or a zip archive for reading.

    Raises SegError where it is missing, no zip archive, truncated, a decompression bomb, or has an
    entry that points outside of it.
    """
    if path.is_dir():
        return path
    if not path.exists():
        raise SegError(f"{path}: does not exist")
    try:
        archive = zipfile.ZipFile(path)
    except DAMAGE as error:
        raise SegError(
            f"{path}: not a zip archive, or a truncated one ({path.stat().st_size:,} bytes, {error}); fetch it again"
        ) from None
    _check_entries(path, archive.infolist())
    return zipfile.Path(archive)  # pyright: ignore[reportReturnType]  (typeshed: no Traversable)


def read_bytes(file: Traversable) -> bytes:
    """Read a file of a folder or an archive.

    Raises SegError where it is damaged, encrypted or not allowed to be read.
    """
    try:
        return file.read_bytes()
    except DAMAGE as error:
        raise SegError(f"{file}: cannot be read ({error}); replace it, or fetch its archive again") from None


def _check_entries(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        if _points_outside(entry.filename):
            raise SegError(f"{path}: entry '{entry.filename}' points outside the archive; do not trust it")
    unpacked = sum(entry.file_size for entry in entries)
    packed = path.stat().st_size
    if unpacked > HARMLESS_BYTES and unpacked > LARGEST_RATIO * packed:
        raise SegError(
            f"{path}: {packed:,} bytes would unpack to {unpacked:,}: a decompression bomb; "
            "if you trust it, unpack it yourself and name the folder in data.path"
        )


def _points_outside(name: str) -> bool:
    windows = PureWindowsPath(name)
    return bool(windows.drive or windows.root) or ".." in PurePosixPath(name).parts + windows.parts
