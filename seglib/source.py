"""Where the selected data set is read from: the published archive, or the user's own files."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from seglib import datasets, plugins
from seglib.config import Section, parse
from seglib.errors import SegError, listing
from seglib.io.archive import open_source
from seglib.io.sample import Generated, Sample, Spec
from seglib.paths import RAW
from seglib.sections.data import Place

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
RECORD = "source.json"
"""The file in `data/raw/` that says where the data came from."""


class Source(NamedTuple):
    """The selected data set: its options, and what it holds."""

    options: Section
    spec: Spec
    samples: list[Sample]


def read_source(params: Mapping[str, Any]) -> Source:
    """Open the selected data set and list its samples, unread.

    Raises SegError where the data is missing, unreadable, empty or not laid out as the data set's plug-in
    expects, or an id is unfit to name a sample.
    """
    data = parse(Place, {key: value for key, value in params["data"].items() if key in Place.model_fields}, "data")
    plugin = plugins.load(datasets, data.name)
    options = plugins.options(plugin, params)
    place = data.local or _published_root(plugin.PUBLISHED)
    try:
        root = open_source(place)
        samples = plugin.samples(root, options)
        spec = plugin.spec(root, options)
    except OSError as error:
        raise SegError(f"{place}: cannot be read ({_printable(str(error))}); make all its files readable") from None
    _check_ids([sample.id for sample in samples], root)
    return Source(options, spec, samples)


def _check_ids(ids: Sequence[str], root: Traversable) -> None:
    if not ids:
        raise SegError(f"{root}: holds no samples; put images with masks there, or correct data.path")
    if odd := [_printable(name) for name in ids if _printable(name) != name]:
        raise SegError(f"{root}: names that are no UTF-8, or hold control characters: {listing(odd)}; rename the files")
    if doubled := [name for name, times in Counter(ids).items() if times > 1]:
        raise SegError(f"{root}: ids that stand twice: {listing(doubled)}; rename the files, for ids name the samples")


def _printable(name: str) -> str:
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], name.encode(errors="backslashreplace").decode())


def _published_root(published: object) -> Path:
    if isinstance(published, Generated):
        return RAW
    files = [file for file in RAW.glob("*") if file.name != RECORD]
    if not files:
        raise SegError(f"{RAW} holds no data: run `dvc repro download`")
    return files[0] if len(files) == 1 else RAW
