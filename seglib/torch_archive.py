"""The zip archives in which torch keeps programs: read without running what is in them, written without local paths."""

import io
import zipfile
from pathlib import Path

import torch

from seglib.checkpoint import Card
from seglib.errors import SegError

CARD = "card"
"""Name of the card among an archive's extra files."""
SOURCES = ".debug_pkl"
"""Where each operation stands in which source file."""


def read_card(path: Path) -> Card:
    """The card in an archive, of which nothing else is opened.

    Raises SegError where the file is no archive, lacks a card, or has one of another format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(f"/extra/{CARD}")]
            text = archive.read(names[0]).decode() if names else None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise SegError(f"{path}: not a readable model file ({error})") from None
    if text is None:
        raise SegError(f"{path}: has no card, so it was not written by this project; export the model with it")
    return Card.from_json(text, str(path))


def without_sources(archive: bytes) -> bytes:
    """The same program without the lines of code that it comes from, under a name that does not change."""
    reader, buffer = torch._C.PyTorchFileReader(io.BytesIO(archive)), io.BytesIO()  # noqa: SLF001
    writer = torch._C.PyTorchFileWriter(buffer)  # noqa: SLF001
    for name in reader.get_all_records():
        if name.endswith(SOURCES) or name.startswith(".data/") or name in ("version", "byteorder"):
            continue
        content = reader.get_record(name)
        writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    return buffer.getvalue()
