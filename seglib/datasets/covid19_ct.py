"""COVID-19 CT scans: 20 chest CT volumes with lungs and infection outlined (Ma et al., 2020; Kaggle).

Ten scans (`coronacases`) hold Hounsfield units. The others (`radiopaedia`) were published with values
already windowed to 0..255, so that `preprocess.window` means something else to them.
"""

import csv
import io
import re
from collections.abc import Mapping
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from seglib.config import Section
from seglib.errors import SegError, listing
from seglib.io.archive import read_bytes
from seglib.io.nifti import SUFFIXES, nifti_volume, read_labels, stem
from seglib.io.pairs import find_folder
from seglib.io.sample import Kaggle, Sample, SegClass, Spec
from seglib.io.tree import walk
from seglib.io.volumes import Take, Volume

PUBLISHED = Kaggle("dataset", "andrewmvd/covid19-ct-scans")
FOLDERS = {"ct_scan": "ct_scans", "lung_mask": "lung_mask", "infection_mask": "infection_mask"}
"""Column of `metadata.csv` → folder of its files."""
BACKGROUND = SegClass("background", (0, 0, 0))
LUNG = SegClass("lung", (86, 180, 233))
INFECTION = SegClass("infection", (213, 94, 0))
CASE = re.compile(r"(radiopaedia)_(?:org_covid-19-pneumonia-)?(\d+)_")


class Params(Section):
    """Options of the data set."""

    classes: Literal["lung", "infection", "both"]
    """Both overlap: infection lies inside the lung. Left and right lung are one."""
    take: Take
    """Slices along an axis, or whole volumes."""


def spec(_root: Traversable, params: Params) -> Spec:
    """One class, or two that overlap, on Hounsfield units."""
    chosen = {"lung": (LUNG,), "infection": (INFECTION,), "both": (LUNG, INFECTION)}[params.classes]
    return Spec(
        classes=(BACKGROUND, *chosen),
        channels=1,
        modality="ct",
        licence="non-commercial (Creative Commons BY-NC-SA); see the authors' page, Zenodo record 3757476",
        citation="Ma et al., COVID-19 CT Lung and Infection Segmentation Dataset, Zenodo 3757476 (2020)",
        overlapping=params.classes == "both",
    )


def samples(root: Traversable, params: Params) -> list[Sample]:
    """The scans that `metadata.csv` lists, under the names of their masks.

    Scans of one radiopaedia case are a group, for two of them show the same patient. Raises SegError
    that names files which are missing, or do not fit each other.
    """
    folder = find_folder(root, *FOLDERS.values())
    files = {column: _by_name(folder / name) for column, name in FOLDERS.items()}
    volumes = [_volume(_row_files(row, files, folder), params) for row in _rows(folder)]
    return sorted((sample for volume in volumes for sample in volume.samples(params.take)), key=lambda one: one.id)


def _rows(folder: Traversable) -> list[Mapping[str, str]]:
    table = folder / "metadata.csv"
    if not table.is_file():
        raise SegError(f"{table}: is missing; it says which mask belongs to which scan; fetch the archive again")
    content = read_bytes(table).decode("utf-8-sig", "replace")
    try:
        rows: list[Mapping[str, str]] = [dict(row) for row in csv.DictReader(io.StringIO(content, newline=""))]
    except csv.Error as error:
        raise SegError(f"{table}: is no table of comma-separated values ({error}); fetch the archive again") from None
    if not rows or any(column not in rows[0] for column in FOLDERS):
        found = listing(rows[0], 8) if rows else "no rows"
        raise SegError(f"{table}: expected the columns {listing(FOLDERS)}, found {found}")
    return rows


def _by_name(folder: Traversable) -> dict[str, Traversable]:
    """Volumes by name; unpackers turn some into a folder of that name with the file inside."""
    files: dict[str, Traversable] = {}
    for file in walk(folder, SUFFIXES).values():
        name = stem(file.name)
        if name in files:
            raise SegError(f"two files for '{name}': {files[name]} and {file}; keep one")
        files[name] = file
    return files


def _row_files(
    row: Mapping[str, str], files: Mapping[str, Mapping[str, Traversable]], folder: Traversable
) -> dict[str, Traversable]:
    """The files of a row, found by their names: its paths are those of the authors' own machine."""
    names = {column: stem(PurePosixPath(row[column] or "").name) for column in FOLDERS}
    if missing := [f"{FOLDERS[column]}/{name}" for column, name in names.items() if name not in files[column]]:
        raise SegError(f"{folder}: metadata.csv names {listing(missing)}, which is not there; fetch the archive again")
    return {column: files[column][name] for column, name in names.items()}


def _volume(files: Mapping[str, Traversable], params: Params) -> Volume:
    name = stem(files["lung_mask"].name)
    case = CASE.match(name)
    bits = {"lung": ("lung_mask",), "infection": ("infection_mask",), "both": ("lung_mask", "infection_mask")}
    masks = [files[column] for column in bits[params.classes]]
    group = "-".join(case.groups()) if case else name
    return nifti_volume(name, files["ct_scan"], masks, partial(_read_mask, masks), group=group)


def _read_mask(files: list[Traversable]) -> np.ndarray:
    planes = [(read_labels(file) > 0).astype(np.uint8) << bit for bit, file in enumerate(files)]
    return np.bitwise_or.reduce(planes)
