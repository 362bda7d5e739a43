"""Preprocessing on a dask cluster: the same code, on workers that see the same files."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import joblib

import seglib
from seglib.config import section
from seglib.errors import SegError, listing
from seglib.fingerprint import stage_code
from seglib.preprocessing import Built, CacheBuilder
from seglib.sections.preprocess import Preprocess
from seglib.source import read_source
from seglib.stage import refuse_other_versions

_imported: dict[str, str] = {}
"""Code that this worker has imported: file → sha256 of what it was then."""
RETRIES = 3
"""Times that a shard is given to another worker after its own has died or failed."""


def on_dask(params: Mapping[str, Any], scheduler: str) -> Callable[[CacheBuilder], Iterator[Built]]:
    """Tasks for `CacheBuilder.build` that run on the workers of the scheduler at that address.

    A worker has to see the project's folder under the same path and to import its code from there, as it
    is now.
    Raises SegError where the scheduler cannot be reached or has no workers.
    """

    def tasks(builder: CacheBuilder) -> Iterator[Built]:
        from distributed import Client

        try:
            client = Client(scheduler, timeout=10)
        except (OSError, TimeoutError, ValueError) as error:
            raise SegError(f"preprocess.scheduler: no dask scheduler at {scheduler} ({error}); start it") from None
        with client:
            if not client.scheduler_info()["workers"]:
                raise SegError(f"preprocess.scheduler: {scheduler} has no workers; start some in {Path.cwd()}")
            places = Path.cwd(), builder.cache.resolve(), builder.store_folder.resolve()
            run = uuid4().hex  # so that no worker answers with what it read for an earlier run
            job = run, json.dumps(params), builder.digest, *map(str, places)
            with joblib.parallel_config("dask", client=client, retries=RETRIES):
                shards = (joblib.delayed(write_shard)(number, *job) for number in builder.shards)
                yield from cast("list[Built]", joblib.Parallel()(shards))

    return tasks


def write_shard(number: int, *job: str) -> Built:
    """What a worker does: write one shard; `job` is what `on_dask` sends."""
    return _builder(*job).write(number)


@lru_cache(maxsize=1)
def _builder(_run: str, params: str, digest: str, root: str, cache: str, store_folder: str) -> CacheBuilder:
    imported = Path(seglib.__file__).resolve().parent.parent
    if imported != Path(root).resolve():
        raise SegError(f"a dask worker imports the code from {imported}, not from {root}; start it with {root} first")
    os.chdir(root)
    values = json.loads(params)
    refuse_other_versions("preprocess")
    _refuse_old_code(stage_code("preprocess", values))
    source = read_source(values)
    settings = section(values, "preprocess", Preprocess)
    return CacheBuilder(source.samples, source.spec, settings, digest, Path(cache), Path(store_folder))


def _refuse_old_code(code: Mapping[str, str]) -> None:
    """Raise SegError where a file is not what it was when this worker imported it."""
    changed = [path for path, digest in code.items() if _imported.setdefault(path, digest) != digest]
    if changed:
        raise SegError(f"a dask worker still has the old code of {listing(changed)}; restart the workers")
