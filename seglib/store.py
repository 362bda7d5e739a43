"""Finished work that outlives a stage's outputs, shared safely by experiments that run at once.

Entries lie in `.store/<kind>/<key>` with their sha256 in front, so a torn or altered one is never
used. Writing is atomic and lock-free: whoever comes last replaces equal bytes by equal bytes.
"""

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path

DIGEST_BYTES = 32
IN_USE_SECONDS = 3600
"""Entries touched within this time may be in use by another experiment and stay."""


def load(folder: Path, key: str) -> memoryview | None:
    """The entry's content, or None where it is absent or damaged; marks it as just used."""
    entry = folder / key
    try:
        content = entry.read_bytes()
        os.utime(entry)
    except OSError:
        return None
    digest, payload = content[:DIGEST_BYTES], memoryview(content)[DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != digest:
        return None
    return payload


def save(folder: Path, key: str, payload: bytes) -> None:
    """Write an entry atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(hashlib.sha256(payload).digest())
        file.write(payload)
    Path(name).replace(folder / key)


def trim(folder: Path, limit_bytes: float) -> int:
    """Delete the longest unused entries until the rest fits; returns how many went.

    Files that a killed writer left behind count as entries.
    """
    entries = sorted(_entries(folder), reverse=True)
    total, deleted = 0, 0
    for used, length, entry in entries:
        total += length
        if total > limit_bytes and used < time.time() - IN_USE_SECONDS:
            entry.unlink(missing_ok=True)
            deleted += 1
    return deleted


def _entries(folder: Path) -> list[tuple[float, int, Path]]:
    found = []
    for entry in folder.glob("**/*"):
        with contextlib.suppress(FileNotFoundError):
            status = entry.stat()
            if entry.is_file():
                found.append((status.st_mtime, status.st_size, entry))
    return found
