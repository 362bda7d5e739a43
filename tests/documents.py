"""Programs and commands in the fenced blocks of a Markdown document."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Block(NamedTuple):
    """A fenced block."""

    section: str
    """The heading of level 2 above it."""
    language: str
    commands: tuple[str, ...]
    """Its lines."""


def blocks(document: Path, *languages: str) -> list[Block]:
    """The blocks of some languages, in order."""
    return [block for block in _blocks(document.read_text()) if block.language in languages]


def _blocks(text: str) -> Iterator[Block]:
    section = ""
    for heading, language, lines in re.findall(r"^## ([^\n]+)$|^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        section = heading or section
        if not heading:
            yield Block(section, language, tuple(lines.splitlines()))
