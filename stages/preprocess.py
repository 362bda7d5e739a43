"""Turn the archive into the index and the tensor cache, recomputing only the shards that changed."""

from seglib import store
from seglib.caching import SHARDS, build_cache
from seglib.config import read_params, section
from seglib.errors import SegError
from seglib.paths import CACHE, INDEX
from seglib.paths import store as store_folder
from seglib.preprocessing import write_index
from seglib.sections.preprocess import Preprocess
from seglib.source import read_source

SHOWN = 20
"""Bad samples that a message lists."""


def main() -> None:
    """Write `data/index.json` and `data/cache/`."""
    params = read_params()
    settings = section(params, "preprocess", Preprocess)
    source = read_source(params)
    built = build_cache(params, source, CACHE)
    if built.problems:
        raise SegError(_describe(built.problems, len(source.samples)))
    name = params["data"]["name"]
    take = (params["data"][name] or {}).get("take", "axial")
    write_index(INDEX, name, source.spec, built.facts, take)
    store.trim(store_folder() / SHARDS, settings.store_limit_gb * 1e9)


def _describe(problems: dict[str, str], total: int) -> str:
    lines = [f"  {message}" for message in list(problems.values())[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"  and {len(problems) - SHOWN} more")
    return "\n".join(
        [f"{len(problems)} of {total} samples cannot be used; `seg check` tells of everything at once:", *lines]
    )
