"""Turn the archive into the index and the tensor cache, recomputing only the shards that changed."""

import json

from seglib import store
from seglib.config import read_params, section
from seglib.fingerprint import stage_digest
from seglib.paths import CACHE, INDEX
from seglib.paths import store as store_folder
from seglib.preprocessing import CacheBuilder, write_index
from seglib.sections.preprocess import Preprocess
from seglib.source import read_source
from seglib.stage import run_stage


def main() -> None:
    """Write `data/index.json` and `data/cache/`."""
    params = read_params()
    settings = section(params, "preprocess", Preprocess)
    source = read_source(params)
    shards = store_folder() / "shards"
    digest = json.dumps([stage_digest("preprocess", params), source.options.model_dump()])
    facts = CacheBuilder(source.spec, settings, digest, CACHE, shards).build(source.samples)
    write_index(INDEX, params["data"]["name"], source.spec, facts)
    store.trim(shards, settings.store_limit_gb * 1e9)


if __name__ == "__main__":
    run_stage("preprocess", main)
