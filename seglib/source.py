"""Where the selected data set is read from: the published archive, or the user's own files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seglib import datasets, plugins
from seglib.config import Section, parse
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import Sample, Spec
from seglib.paths import RAW
from seglib.sections.data import Place

RECORD = "source.json"
"""The file in `data/raw/` that says where the data came from."""


class Source(NamedTuple):
    """The selected data set: its options, and what it holds."""

    options: Section
    spec: Spec
    samples: list[Sample]


def read_source(params: Mapping[str, Any]) -> Source:
    """Open the selected data set and list its samples, unread.

    Raises SegError where the data is missing or not laid out as the data set's plug-in expects.
    """
    data = parse(Place, {key: value for key, value in params["data"].items() if key in Place.model_fields}, "data")
    plugin = plugins.load(datasets, data.name)
    options = plugins.options(plugin, params)
    samples = plugin.samples(open_source(data.local or _published_root()), options)
    return Source(options, plugin.spec(options), samples)


def _published_root() -> Path:
    files = [file for file in RAW.iterdir() if file.name != RECORD]
    if not files:
        raise SegError(f"{RAW} holds no data: run `dvc repro download`")
    return files[0] if len(files) == 1 else RAW
