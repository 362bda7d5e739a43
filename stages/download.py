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
from seglib.download import digest, fetch, file_name
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import Embedded, Published
from seglib.paths import RAW, store
from seglib.sections.data import Data
from seglib.source import RECORD
from seglib.stage import put_outputs_back, run_stage


def main() -> None:
    """Fetch the archive, copy the embedded files, or note that the user's own files are read in place."""
    params = read_params()
    data = section(params, "data", Data)
    published = plugins.load(datasets, data.name).PUBLISHED
    if data.local:
        _write_record({"source": "data.path"})
    elif data.url:
        _fetch_archive(Published(data.url, data.sha256))
    elif isinstance(published, Embedded):
        _copy_embedded(published)
    elif isinstance(published, Published):
        _fetch_archive(published)


def _write_record(record: dict[str, object]) -> None:
    RAW.mkdir(parents=True, exist_ok=True)
    (RAW / RECORD).write_text(json.dumps(record, indent=1) + "\n")


def _copy_embedded(published: Embedded) -> None:
    _write_record(asdict(published))
    installed = distribution(published.distribution)
    for inside, expected in published.files.items():
        content = Path(str(installed.locate_file(inside))).read_bytes()
        found = sha256(content).hexdigest()
        if found != expected:
            raise SegError(f"{inside} of {published.distribution}: sha256 is {found}, expected {expected}")
        (RAW / Path(inside).name).write_bytes(content)


def _fetch_archive(published: Published) -> None:
    url, expected = published.url, published.sha256
    name = file_name(url)
    if kept := _last_download(expected):
        kept.rename(RAW / name)
        _write_record({"url": url, "sha256": expected})
        return
    partial = store() / "downloads" / f"{sha256(url.encode()).hexdigest()[:16]}-{name}.part"
    partial.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(partial.with_suffix(".lock")):
        found = fetch(url, expected, partial)
        try:
            open_source(partial)
        except SegError:
            partial.unlink()
            raise
        _write_record({"url": url, "sha256": found})
        shutil.move(partial, RAW / name)
    if not expected:
        print(f"data.sha256 is empty, so the archive was not checked; it has {found}")


def _last_download(expected: str) -> Path | None:
    """The archive of the last run, which DVC took away but keeps in its cache, if it has this sha256."""
    put_outputs_back()
    files = [file for file in RAW.glob("*") if file.name != RECORD]
    if expected and len(files) == 1 and digest(files[0]) == expected:
        return files[0]
    shutil.rmtree(RAW, ignore_errors=True)
    return None


if __name__ == "__main__":
    run_stage("download", main)
