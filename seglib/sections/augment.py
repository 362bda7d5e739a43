"""`augment`: the selected list of albumentations transforms."""

from collections.abc import Mapping
from typing import Any, ClassVar

from seglib.config import Section
from seglib.errors import SegError, nearest


class Augment(Section):
    """The selected preset's name."""

    plugin_values: ClassVar[type] = object
    """Every other key is a preset, which `preset` checks."""
    name: str


def preset(params: Mapping[str, Any], name: str) -> list[dict[str, dict[str, Any]]]:
    """The preset's transforms: one-key mappings from transform to its options.

    Raises SegError where the preset is unknown or malformed.
    """
    presets = {key: value for key, value in params.get("augment", {}).items() if key != "name"}
    if name not in presets:
        raise SegError(f"augment.name: no preset '{name}'; {nearest(name, presets)}")
    entries = presets[name]
    if not isinstance(entries, list):
        raise SegError(f"augment.{name}: must be a list of transforms (found {entries!r})")
    for i, entry in enumerate(entries):
        if not (isinstance(entry, dict) and len(entry) == 1 and isinstance(next(iter(entry.values())), dict)):
            raise SegError(f"augment.{name}[{i}]: must read `Transform: {{option: value}}` (found {entry!r})")
    return entries
