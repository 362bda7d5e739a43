"""Sections that only select a plug-in: `model`, `loss` and `scheduler`."""

from typing import ClassVar

from seglib.config import Section


class Selection(Section):
    """The selected plug-in's name; its options stand in the sub-section of that name."""

    plugin_values: ClassVar[tuple[type, ...]] = (dict, type(None))
    name: str
