"""Archives and folders, read alike through `Traversable`; nothing is ever unpacked next to them."""

import bz2
import gzip
import io
import lzma
import os
import posixpath
import shutil
import struct
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, Protocol, TypeVar

from seglib.errors import SegError

LARGEST_RATIO = 200
"""Unpacked over packed bytes; images and volumes stay far below it."""
HARMLESS_BYTES = 1 << 30
"""Archives that unpack to less are read whatever their ratio."""
DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError),
    *(ValueError, struct.error),
)
"""What reading a damaged, encrypted or unreadable file raises."""
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
"""First bytes of a compressed tar archive → what opens it."""
TAR_MAGIC = b"ustar"
TAR_MAGIC_AT = 257
MOST_LINKS = 40
"""Links that lead from one to the next, as file systems have it."""
_T = TypeVar("_T")


def open_source(path: Path) -> Traversable:
    """Open a folder, or a zip or tar archive, for reading.

    Raises SegError where it is missing, no archive, truncated, a decompression bomb, or has an
    entry that points outside of it, leads nowhere or stands there twice.
    """
    if path.is_dir():
        return path
    if not path.exists():
        raise SegError(f"{path}: does not exist")
    try:
        return _open_archive(path.open("rb"), str(path))
    except OSError as error:
        raise SegError(f"{path}: cannot be read ({error})") from None


def enter(folder: Traversable, name: str) -> Traversable | None:
    """The folder `name` of a folder, also where it is still packed as `name.zip` or the like.

    An archive that holds nothing but one folder of that name is that folder. None where there is neither.
    """
    if (folder / name).is_dir():
        return folder / name
    for suffix in ARCHIVES:
        packed = folder / (name + suffix)
        if not packed.is_file():
            continue
        inner = open_source(packed) if isinstance(packed, Path) else _open_archive(_spooled(packed), str(packed))
        return inner / name if (inner / name).is_dir() else inner
    return None


def read_bytes(file: Traversable) -> bytes:
    """Read a file of a folder or an archive.

    Raises SegError where it is damaged, encrypted or not allowed to be read.
    """
    try:
        return file.read_bytes()
    except DAMAGE as error:
        raise SegError(f"{file}: cannot be read ({error}); replace it, or fetch its archive again") from None


class _Members(Protocol):
    """The files of an archive: name → bytes."""

    def lengths(self) -> Mapping[str, int]: ...

    def open(self, name: str) -> IO[bytes]: ...


class _Zip:
    def __init__(self, file: IO[bytes], where: str) -> None:
        weakref.finalize(self, file.close)
        self._archive = zipfile.ZipFile(file)
        named = ((entry.filename.replace("\\", "/"), entry) for entry in self._archive.infolist())
        self._entries = _by_name(((name, entry) for name, entry in named if not name.endswith("/")), where)

    def lengths(self) -> Mapping[str, int]:
        return {name: entry.file_size for name, entry in self._entries.items()}

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._entries[name])


class _Tar:
    """Plain tar; read at offsets, for `tarfile` itself does not allow several threads."""

    def __init__(self, file: IO[bytes], where: str) -> None:
        self._file = file
        weakref.finalize(self, file.close)
        with tarfile.open(fileobj=file, mode="r:") as archive:
            members, end = archive.getmembers(), archive.offset
        if os.pread(file.fileno(), tarfile.BLOCKSIZE, end) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError(f"damaged at byte {end:,}, or an unexpected end of data")
        kept = [entry for entry in members if entry.isreg() or entry.islnk() or entry.issym()]
        if sparse := [entry.name for entry in kept if entry.issparse()]:
            raise SegError(f"{where}: '{sparse[0]}' is packed as a sparse file; pack it again without that")
        named = _by_name(((entry.name, entry) for entry in kept), where)
        self._entries = {name: _followed(name, named, where) for name in named}

    def lengths(self) -> Mapping[str, int]:
        return {name: entry.size for name, entry in self._entries.items()}

    def open(self, name: str) -> IO[bytes]:
        entry = self._entries[name]
        content = bytearray()
        while missing := entry.size - len(content):  # one read gives 2 GiB at most
            block = os.pread(self._file.fileno(), missing, entry.offset_data + len(content))
            if not block:
                raise OSError("unexpected end of data")
            content += block
        return io.BytesIO(content)


class Entry(Traversable):
    """A file or folder inside an archive."""

    def __init__(self, members: _Members, tree: Mapping[str, list[str]], where: str, at: str = "") -> None:
        """`tree` maps each folder to its children's names; `where` is the archive's own name."""
        self._members, self._tree, self._where, self._at = members, tree, where, at

    def __str__(self) -> str:
        return f"{self._where}/{self._at}" if self._at else self._where

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self._at or self._where).name

    def iterdir(self) -> Iterator["Entry"]:
        """The folder's children, sorted by name."""
        return (self / name for name in self._tree.get(self._at, []))

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self._at in self._tree

    def is_file(self) -> bool:
        """Whether it is a file."""
        parent, _, name = self._at.rpartition("/")
        return not self.is_dir() and name in self._tree.get(parent, ())

    def joinpath(self, *descendants: Any) -> "Entry":
        """What lies at a path below it; whether it exists is not looked at."""
        return Entry(self._members, self._tree, self._where, "/".join([*filter(None, [self._at]), *descendants]))

    def __truediv__(self, child: Any) -> "Entry":
        return self.joinpath(child)

    def read_bytes(self) -> bytes:
        """Read the file."""
        with self.open("rb") as content:
            return content.read()

    def read_text(self, encoding: str | None = None) -> str:
        """Read the file as text."""
        return self.read_bytes().decode(encoding or "utf-8")

    def open(self, *_: Any, **__: Any) -> IO[bytes]:
        """Open the file for reading bytes, whatever mode is asked for."""
        if not self.is_file():
            raise FileNotFoundError(f"no file {self}")
        return self._members.open(self._at)


def _open_archive(file: IO[bytes], where: str) -> Entry:
    packed = os.fstat(file.fileno()).st_size
    try:
        is_zip = not _is_tar(file) and zipfile.is_zipfile(file)
        members = _Zip(file, where) if is_zip else _Tar(_decompressed(file, packed), where)
    except DAMAGE as error:
        file.close()
        raise SegError(
            f"{where}: not a zip or tar archive, or a truncated one ({packed:,} bytes, {error}); fetch it again"
        ) from None
    lengths = members.lengths()
    _check_entries(where, lengths, packed)
    return Entry(members, _tree(lengths), where)


def _tree(names: Mapping[str, int]) -> dict[str, list[str]]:
    children: dict[str, set[str]] = {"": set()}
    for name in names:
        parts = name.split("/")
        for depth in range(len(parts)):
            children.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
    return {folder: sorted(found) for folder, found in children.items()}


def _decompressed(file: IO[bytes], packed: int) -> IO[bytes]:
    """The tar archive itself where it is compressed: an unnamed file, for it is read at any place."""
    file.seek(0)
    opener = COMPRESSED.get(file.read(2))
    file.seek(0)
    if opener is None:
        return file
    spool = _unnamed_file()
    with file, opener(file) as content:
        while block := content.read(1 << 20):
            spool.write(block)
            if spool.tell() > max(HARMLESS_BYTES, LARGEST_RATIO * packed):
                raise OSError("a decompression bomb")
    spool.seek(0)
    return spool


def _spooled(file: Traversable) -> IO[bytes]:
    spool = _unnamed_file()
    try:
        with file.open("rb") as content:
            shutil.copyfileobj(content, spool)
    except DAMAGE as error:
        spool.close()
        raise SegError(f"{file}: cannot be read ({error}); fetch its archive again") from None
    spool.seek(0)
    return spool


def _unnamed_file() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _check_entries(where: str, lengths: Mapping[str, int], packed: int) -> None:
    for name in lengths:
        if _points_outside(name):
            raise SegError(f"{where}: entry '{name}' points outside the archive; do not trust it")
    unpacked = sum(lengths.values())
    if unpacked > HARMLESS_BYTES and unpacked > LARGEST_RATIO * packed:
        raise SegError(
            f"{where}: {packed:,} bytes would unpack to {unpacked:,}: a decompression bomb; "
            "if you trust it, unpack it yourself and name the folder instead"
        )


def _is_tar(file: IO[bytes]) -> bool:
    """Told by its first bytes: where a zip ends it, it may look like a zip from behind."""
    file.seek(0)
    start = file.read(TAR_MAGIC_AT + len(TAR_MAGIC))
    file.seek(0)
    return start[TAR_MAGIC_AT:] == TAR_MAGIC or start[:2] in COMPRESSED


def _by_name(entries: Iterable[tuple[str, _T]], where: str) -> dict[str, _T]:
    named: dict[str, _T] = {}
    for name, entry in entries:
        plain = str(PurePosixPath(name))
        if plain in named:
            raise SegError(f"{where}: holds '{plain}' twice; pack it again with each file once")
        named[plain] = entry
    return named


def _followed(name: str, named: Mapping[str, tarfile.TarInfo], where: str) -> tarfile.TarInfo:
    """The file that an entry is, or that its links lead to."""
    entry = named[name]
    for _ in range(MOST_LINKS):
        if entry.isreg():
            return entry
        folder = posixpath.dirname(name) if entry.issym() else ""
        name = posixpath.normpath(posixpath.join(folder, entry.linkname))
        if name not in named:
            break
        entry = named[name]
    raise SegError(
        f"{where}: the link '{entry.name}' leads to '{entry.linkname}', which is no file in it; "
        "pack the files themselves, or unpack it yourself and name the folder instead"
    )


def _points_outside(name: str) -> bool:
    windows = PureWindowsPath(name)
    return bool(windows.drive or windows.root) or ".." in PurePosixPath(name).parts + windows.parts
