"""DICOM slices, gathered into series wherever they lie."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import PurePosixPath

from seglib.checkpoint import Card
from seglib.errors import listing
from seglib.inputs.items import Input, Pixels, Unread
from seglib.inputs.names import Names, safe
from seglib.inputs.reading import read_series
from seglib.inputs.walking import Found
from seglib.io.dicom_headers import MASKS, MODALITIES, Header, read_header

NO_IMAGES = (*MASKS, "RTDOSE")
"""Modalities of what is drawn or computed on images."""


@dataclass
class _Slices:
    """The files of one series."""

    modality: str
    folder: str
    """The deepest that holds them all."""
    found: list[Found] = field(default_factory=list)


class AllSeries:
    """The series found so far; of each slice its file is kept, and nothing of the header."""

    def __init__(self) -> None:
        self.slices = 0
        self._known: dict[str, _Slices] = {}

    def add(self, found: Found, header: Header) -> None:
        """Keep a slice."""
        folder = posixpath.dirname(found.path)
        key = header.text("SeriesInstanceUID") or folder
        slices = self._known.setdefault(key, _Slices(header.text("Modality"), folder))
        slices.found.append(found)
        slices.folder = posixpath.commonpath([slices.folder, folder]) if slices.folder and folder else ""
        self.slices += 1

    def items(self, card: Card, names: Names, home: str) -> Iterator[Input | Unread]:
        """Each series, called after its folder, and where that holds several by a digest of its UID as well."""
        times = Counter(slices.folder for slices in self._known.values())
        for uid, slices in self._known.items():
            digest = sha256(uid.encode()).hexdigest()[:8]
            name = slices.folder or home or "series"
            if times[slices.folder] > 1:
                name = f"{name}-{digest}"
            if problem := _problem(slices, card):
                yield Unread(safe(name), problem)
            else:
                yield Input(names.give(name, digest), partial(_read, slices.found, card))


def header_of(found: Found) -> Header | None:
    """The header of a DICOM file, None where it is none.

    Raises SegError where it calls itself DICOM and cannot be read.
    """
    return read_header(found.file, PurePosixPath(found.path).parent.parts)


def is_slice(header: Header) -> bool:
    """Whether the file holds an image."""
    return header.text("Modality") not in NO_IMAGES and header.text("Rows") not in ("", "0")


def _problem(slices: _Slices, card: Card) -> str:
    wanted, where = card.dataset["modality"], f"{slices.found[0].file}"
    if slices.modality not in MODALITIES:
        return f"{where}: is of the DICOM modality '{slices.modality}'; known: {listing(MODALITIES)}"
    if (found := MODALITIES[slices.modality]) != wanted:
        return f"{where}: belongs to a series of {found}, but the model was trained on {wanted}"
    return ""


def _read(found: Sequence[Found], card: Card) -> Pixels:
    headers = [header for one in found if (header := header_of(one))]
    return read_series(headers, card)
