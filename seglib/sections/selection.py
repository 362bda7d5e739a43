"""Sections that only select a plug-in: `model`, `loss` and `scheduler`."""

from seglib.config import Section


class Selection(Section):
    """The selected plug-in's name; its options stand in the sub-section of that name."""

    name: str
