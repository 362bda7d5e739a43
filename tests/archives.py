"""Archives as they are published, and as they come broken."""

import io
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np


def kvasir_archive(number: int = 12) -> bytes:
    """Kvasir-SEG's layout: JPEG images and JPEG masks of bright discs, below one folder."""
    files: dict[str, bytes] = {}
    for i in range(number):
        random = np.random.default_rng(i)
        mask = np.zeros((40, 48, 3), np.uint8)
        cv2.circle(mask, (int(random.integers(12, 36)), int(random.integers(12, 28))), 8, (255, 255, 255), -1)
        image = (mask // 2 + random.integers(0, 90, mask.shape)).astype(np.uint8)
        for folder, pixels in (("images", image), ("masks", mask)):
            files[f"Kvasir-SEG/{folder}/case{i:02d}.jpg"] = cv2.imencode(".jpg", pixels)[1].tobytes()
    return pack(files)


def unpack(archive: tarfile.TarFile, name: str, folder: Path) -> Path:
    """Write one file of an archive below a folder; gives its path."""
    content = archive.extractfile(name)
    assert content
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.read())
    return folder / name


def pack(files: dict[str, bytes]) -> bytes:
    """A zip archive of the files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def bomb() -> bytes:
    """A small archive whose table of contents promises 3 GiB."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("images/a.png", b"0" * 100)
        archive.filelist[0].file_size = 3 << 30
    return content.getvalue()


def digest(content: bytes) -> str:
    """Its sha256."""
    return sha256(content).hexdigest()


BROKEN = {
    "not a zip or tar archive": b"<html>please log in</html>",
    "truncated": kvasir_archive(3)[:2000],
    "points outside": pack({"../../evil.png": b"0"}),
    "decompression bomb": bomb(),
}
"""What is wrong with an archive, in the message's words → the archive."""
