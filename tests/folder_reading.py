"""Reads own data through the plug-in `folder`, for its tests."""

import re
from pathlib import Path

import pytest

from seglib.config import parse
from seglib.datasets import folder
from seglib.errors import SegError
from seglib.io.archive import open_source
from tests.layouts import folder as layouts


def options(**changed: object) -> folder.Params:
    """The usual options but for some."""
    return parse(folder.Params, {**layouts.OPTIONS, **changed}, "data.folder")


def read(root: Path, given: folder.Params) -> dict:
    """Id → (sample, image, mask)."""
    source = open_source(root)
    spec = folder.spec(source, given)
    return {sample.id: (sample, *sample.read(spec)) for sample in folder.samples(source, given)}


def refused(root: Path, said: str, given: folder.Params | None = None) -> None:
    """Reading raises a SegError of which a part matches `said`."""
    with pytest.raises(SegError) as caught:
        read(root, given or options())
    assert re.search(said, str(caught.value)), str(caught.value)
