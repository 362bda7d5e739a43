"""The tensor cache of the selected data set, built as `preprocess` in `params.yaml` says."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seglib.cluster import on_dask
from seglib.config import section
from seglib.fingerprint import stage_digest
from seglib.paths import store
from seglib.preprocessing import Built, CacheBuilder
from seglib.sections.preprocess import Preprocess
from seglib.source import Source

SHARDS = "shards"


def build_cache(params: Mapping[str, Any], source: Source, cache: Path) -> Built:
    """Write the shards into the folder `cache`, on threads of this machine or on dask workers."""
    settings = section(params, "preprocess", Preprocess)
    digest = json.dumps([stage_digest("preprocess", params), source.options.model_dump()])
    builder = CacheBuilder(source.samples, source.spec, settings, digest, cache, store() / SHARDS)
    return builder.build(on_dask(params, settings.scheduler) if settings.backend == "dask" else None)
