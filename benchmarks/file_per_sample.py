"""The `preprocess` stage in the layout that is not used: one cache file a sample.

`benchmarks.incremental` runs it in place of `stages.preprocess`. Everything but the layout is the
same: source, threads, resizing, digests, and a store outside the outputs.
"""

import json

from seglib import store
from seglib.config import read_params, section
from seglib.facts import Facts
from seglib.fingerprint import stage_digest
from seglib.io.sample import Sample
from seglib.paths import CACHE, INDEX
from seglib.paths import store as store_folder
from seglib.preprocessing import Built, CacheBuilder, write_index
from seglib.sections.preprocess import Preprocess
from seglib.source import read_source
from seglib.stage import run_stage


class FilePerSampleBuilder(CacheBuilder):
    """Writes `shard-<id>.pt` for each sample; a shard is only the work that a thread takes at once."""

    def write(self, number: int) -> Built:
        """Write the samples that would be one shard."""
        return Built([fact for sample in self.shards[number] for fact in self._write_one(number, sample)], {})

    def _write_one(self, number: int, sample: Sample) -> list[Facts]:
        fingerprints = [sample.fingerprint()]
        folder, key = self.store_folder / f"{number:03d}", self._key([sample], fingerprints)
        packed = store.load(folder, f"{key}.pt")
        known = store.load(folder, f"{key}.json")
        if packed is None or known is None:
            packed, known, _ = self._compute([sample], fingerprints)
            store.save(folder, f"{key}.pt", packed)
            store.save(folder, f"{key}.json", known)
        (self.cache / f"shard-{sample.id}.pt").write_bytes(packed)
        return json.loads(bytes(known))


def main() -> None:
    """Write `data/index.json` and `data/cache/`."""
    params = read_params()
    settings = section(params, "preprocess", Preprocess)
    source = read_source(params)
    digest = json.dumps([stage_digest("preprocess", params), source.options.model_dump()])
    places = CACHE, store_folder() / "samples"
    builder = FilePerSampleBuilder(source.samples, source.spec, settings, digest, *places)
    write_index(INDEX, params["data"]["name"], source.spec, builder.build().facts)


if __name__ == "__main__":
    run_stage("preprocess", main)
