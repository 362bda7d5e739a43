"""Numbers as people read them."""

import math

from seglib.measures import MEASURES

UNITS = {measure.name: measure.unit for measure in MEASURES}


def decimal(value: float, digits: int = 3) -> str:
    """A share such as 0.930, or a dash where there is none."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def count(value: float) -> str:
    """A whole number with its thousands apart: 12,345."""
    return f"{int(value):,}"


def percent(share: float) -> str:
    """A share as 13.5 %; what rounds to nothing and yet is there as < 0.1 %; a dash where there is none."""
    if math.isnan(share):
        return "–"
    return "< 0.1 %" if 0 < share < 0.0005 else f"{share:.1%}".replace("%", " %")


def significant(value: float) -> str:
    """Three significant digits, never in powers of ten: 12.3, 0.0456, 1,230."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}".replace("-", "−")


def measured(name: str, value: float, distance: str) -> str:
    """A figure of one of MEASURES, or any other share, with its unit; `distance` names that of distances."""
    return f"{significant(value)} {distance}" if UNITS.get(name) == "distance" else decimal(value)


def amount(number: int, noun: str, plural: str = "") -> str:
    """A count with its noun: 1 case, 12 cases."""
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def modality(name: str) -> str:
    """A kind of images as it is written: CT, MRI, PET, endoscopy."""
    return name.upper() if name in ("ct", "mri", "pet") else name


def megabytes(size: int) -> str:
    """A file's size: 1.6 MB, 24 kB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
