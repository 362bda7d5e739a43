"""Names of results: in the order that people count, safe on every file system, each but once."""

import re
import unicodedata
from itertools import chain, count
from pathlib import PurePosixPath

from seglib.io import images, scans
from seglib.io.archive import ARCHIVES

DIGITS = re.compile("[0-9]+")
UNSAFE = frozenset('<>:"\\|?*')
LONGEST = 180
"""Bytes of a folder or of a file without its suffix; file systems take 255, and results add endings."""
SUFFIXES = sorted((*images.SUFFIXES, *scans.SUFFIXES, *ARCHIVES, ".dcm"), key=len, reverse=True)


def natural(name: str) -> tuple[str, str]:
    """A key that sorts 2 before 10 and A beside a."""
    return DIGITS.sub(_counted, name.casefold()), name


def _counted(digits: re.Match[str]) -> str:
    number = digits[0].lstrip("0")
    return f"{len(number):03d}{number}"


def split_suffix(path: str) -> tuple[str, str]:
    """A path without its suffix, and the suffix, of which `.nii.gz` and the like are one."""
    lower = path.lower()
    known = next((suffix for suffix in SUFFIXES if lower.endswith(suffix)), None)
    length = len(path) - len(known or PurePosixPath(path).suffix)
    return path[:length], path[length:]


def safe(path: str) -> str:
    """A relative path whose parts any file system takes and any terminal shows.

    A folder that is called like a file, such as `a.png`, would stand in the way of the result of another file.
    """
    *folders, name = (_safe_part(part) for part in path.split("/"))
    plain = [folder.replace(".", "_") if folder.lower().endswith(tuple(SUFFIXES)) else folder for folder in folders]
    return "/".join([*plain, name])


def _safe_part(part: str) -> str:
    plain = unicodedata.normalize("NFC", part)
    shown = "".join(char if char.isprintable() and char not in UNSAFE else "_" for char in plain)
    return shown.strip(" .").encode()[:LONGEST].decode(errors="ignore").rstrip(" .") or "_"


class Names:
    """The names that were given away."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, name: str, mark: str) -> str:
        """A name made safe; with the mark behind it where another has it already, or else with a number."""
        plain = safe(name)
        marked = [f"{plain}-{safe(mark)}"] if mark else []
        for candidate in chain([plain], marked, (f"{plain}-{number}" for number in count(2))):
            if (folded := candidate.casefold()) not in self._taken:
                self._taken.add(folded)
                return candidate
        raise AssertionError("numbers do not end")
