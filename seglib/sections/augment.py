"""`augment`: the selected list of albumentations (images) or MONAI (volumes) transforms."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from seglib.config import Section
from seglib.errors import SegError, listing, nearest

Entry = dict[str, dict[str, Any]]
"""One key, the transform's name, with its options."""
NESTS = ("OneOf", "SomeOf", "RandomOrder", "Sequential")
"""Their option `transforms` is a list of entries again."""


OF_VOLUMES = re.compile(r"Rand[A-Z0-9]")
"""How the names of MONAI's transforms begin, which are for volumes; no name of albumentations does."""


class Augment(Section):
    """The selected preset's name."""

    plugin_values: ClassVar[type] = object
    """Every other key is a preset, which `preset` checks."""
    name: str


def preset(params: Mapping[str, Any], name: str) -> list[Entry]:
    """The preset's transforms: one-key mappings from transform to its options, those of nests in `transforms`.

    Raises SegError where the preset is unknown or malformed.
    """
    presets = {key: value for key, value in params.get("augment", {}).items() if key != "name"}
    if name not in presets:
        raise SegError(f"augment.name: no preset '{name}'; {nearest(name, presets)}")
    _check_entries(presets[name], f"augment.{name}")
    return presets[name]


def leaves(entries: Sequence[Entry]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The transforms with their options, those inside nests included, without the nests."""
    for entry in entries:
        for name, options in entry.items():
            if name in NESTS:
                yield from leaves(options["transforms"])
            else:
                yield name, options


def misfits(entries: Sequence[Entry], dims: int) -> str:
    """Say which transforms are for volumes where samples have 2 axes, or for images where they have 3."""
    wrong = [name for name, _ in leaves(entries) if bool(OF_VOLUMES.match(name)) != (dims == 3)]
    if not wrong:
        return ""
    found, taken = ("volumes", "volume, ct_volume") if dims == 3 else ("images", "photograph, mri, ct")
    made_for = "images" if dims == 3 else "volumes"
    return (
        f"{listing(dict.fromkeys(wrong), 3)}, made for {made_for}, but the samples are {found}; "
        f"these take augment.name: {taken} or none"
    )


def check_probability(value: object, place: str) -> None:
    """Raise SegError for anything but a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise SegError(f"{place}: must be a probability from 0 to 1 (found {value!r})")


def _check_entries(entries: object, place: str) -> None:
    if not isinstance(entries, list):
        raise SegError(f"{place}: must be a list of transforms (found {entries!r})")
    for i, entry in enumerate(entries):
        if not (isinstance(entry, dict) and len(entry) == 1 and isinstance(next(iter(entry.values())), dict)):
            raise SegError(f"{place}[{i}]: must read `Transform: {{option: value}}` (found {entry!r})")
        name, options = next(iter(entry.items()))
        if any(isinstance(value, float) and not math.isfinite(value) for value in options.values()):
            raise SegError(f"{place}[{i}].{name}: every number must be finite (found {options!r})")
        if name in NESTS:
            _check_nest(options, f"{place}[{i}].{name}")


def _check_nest(options: Mapping[str, Any], place: str) -> None:
    if not options.get("transforms"):
        raise SegError(f"{place}: must have `transforms`, a list of at least one (found {options!r})")
    _check_entries(options["transforms"], f"{place}.transforms")
    check_probability(options.get("p", 1.0), f"{place}.p")
