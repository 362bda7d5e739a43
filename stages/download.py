"""Bring the published archive, as it is, to `data/raw/`."""

import json
import shutil
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

from filelock import FileLock

from seglib import datasets, plugins
from seglib.config import read_params, section
from seglib.download import Ask, check_archive, digest, fetch, file_name, partial_file, room_for
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import Embedded, Generated, Kaggle, Published
from seglib.kaggle_archive import archive_name, ask, page, warn_of_readable_keys
from seglib.paths import RAW
from seglib.sections.data import Data
from seglib.source import RECORD
from seglib.stage import put_outputs_back


def main() -> None:
    """Fetch the archive, copy the embedded files, or note that the user's own files are read in place."""
    params = read_params()
    data = section(params, "data", Data)
    published = plugins.load(datasets, data.name).PUBLISHED
    if data.local:
        _start_over({"source": "data.path"})
    elif data.url:
        _fetch_archive(Published(data.url, data.sha256))
    elif isinstance(published, Embedded):
        _copy_embedded(published)
    elif isinstance(published, Published):
        _fetch_archive(published)
    elif isinstance(published, Kaggle):
        _fetch_from_kaggle(published)
    elif isinstance(published, Generated):
        _start_over({"source": "generated"})


def _start_over(record: dict[str, object]) -> None:
    """Empty `data/raw/` but for the record of where the data comes from."""
    shutil.rmtree(RAW, ignore_errors=True)
    RAW.mkdir(parents=True)
    (RAW / RECORD).write_text(json.dumps(record, indent=1) + "\n")


def _copy_embedded(published: Embedded) -> None:
    installed = distribution(published.distribution)
    contents = {inside: Path(str(installed.locate_file(inside))).read_bytes() for inside in published.files}
    for inside, expected in published.files.items():
        found = sha256(contents[inside]).hexdigest()
        if found != expected:
            raise SegError(f"{inside} of {published.distribution}: sha256 is {found}, expected {expected}")
    _start_over(asdict(published))
    for inside, content in contents.items():
        (RAW / Path(inside).name).write_bytes(content)


def _fetch_archive(published: Published) -> None:
    url, expected = published.url, published.sha256
    partial = partial_file(url, file_name(url))
    with FileLock(partial.with_suffix(".lock")):
        put_outputs_back()
        if last := _last_download(expected):
            shutil.move(last, partial)
            found = expected
        else:
            found = _fetch_checked(url, expected, partial)
        _put_in_place(url, partial, file_name(url), {"sha256": found})
    if not expected:
        print(f"data.sha256 is empty, so the archive was not checked; it has {found}")


def _fetch_from_kaggle(source: Kaggle) -> None:
    name = archive_name(source)
    partial = partial_file(page(source), name)
    with FileLock(partial.with_suffix(".lock")):
        put_outputs_back()
        found = _last_sha256(source)
        if last := _last_download(found):
            shutil.move(last, partial)
        else:
            warn_of_readable_keys()
            found = _fetch_checked(page(source), "", partial, lambda: ask(source))
        _put_in_place(page(source), partial, name, {**asdict(source), "sha256": found})


def _fetch_checked(url: str, expected: str, partial: Path, resolve: Ask | None = None) -> str:
    found = fetch(url, expected, partial, resolve)
    try:
        if expected:
            open_source(partial)
        else:
            check_archive(partial)
    except SegError as error:
        partial.unlink()
        raise SegError(f"{url} sent something else than an intact archive; it was discarded.\n{error}") from None
    return found


def _put_in_place(url: str, partial: Path, name: str, record: dict[str, object]) -> None:
    _start_over(record)
    with room_for(url, RAW / name):
        shutil.move(partial, RAW / name)


def _last_sha256(source: Kaggle) -> str:
    """The sha256 that is recorded for the last download, if it is of this source."""
    try:
        known = json.loads((RAW / RECORD).read_text())
    except (OSError, ValueError):
        return ""
    return known.get("sha256", "") if asdict(source).items() <= known.items() else ""


def _last_download(expected: str) -> Path | None:
    """The archive of the last run, which DVC took away but keeps in its cache, if it has this sha256."""
    files = [file for file in RAW.glob("*") if file.name != RECORD]
    return files[0] if expected and len(files) == 1 and digest(files[0]) == expected else None
