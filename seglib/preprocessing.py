"""From samples to the tensor cache and the index, recomputing only the shards that changed."""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import joblib
import numpy as np
import torch
from tqdm import tqdm

from seglib import store
from seglib.errors import SegError
from seglib.facts import Facts, sample_facts
from seglib.intensity import Intensity
from seglib.io.cache import Tensors, pack_shard, shard_name, shard_of
from seglib.io.resize import geometry
from seglib.io.sample import Sample, Spec
from seglib.sections.pixels import Pixels
from seglib.sections.preprocess import Preprocess


class Built(NamedTuple):
    """What reading samples gave: facts of the good ones, and what is wrong with the others."""

    facts: list[Facts]
    problems: dict[str, str]
    """Sample id → message."""


@dataclass(frozen=True)
class CacheBuilder:
    """Writes shards into `cache`, taking unchanged ones from `store_folder`.

    `digest` stands for everything that decides about pixels besides the samples themselves: code,
    library versions and the data set's options.
    """

    samples: Sequence[Sample]
    spec: Spec
    settings: Preprocess
    digest: str
    cache: Path
    store_folder: Path

    def build(self, tasks: Callable[["CacheBuilder"], Iterator[Built]] | None = None) -> Built:
        """Write every shard, on all cores of this machine unless `tasks` does it elsewhere.

        All samples are read, whatever is wrong with some; a shard with a bad one goes not into the store.
        Memory holds about three times a shard for each core.
        """
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir(parents=True)
        facts: list[Facts] = []
        problems: dict[str, str] = {}
        with tqdm(desc="preprocess", total=len(self.samples), unit="image", disable=None) as bar:
            for done in (tasks or _on_threads)(self):
                facts += done.facts
                problems |= done.problems
                bar.update(len(done.facts) + len(done.problems))
        return Built(sorted(facts, key=lambda fact: fact["id"]), dict(sorted(problems.items())))

    @cached_property
    def shards(self) -> Mapping[int, list[Sample]]:
        """The samples of each shard, by id; slices of one volume lie in one shard."""
        shards: defaultdict[int, list[Sample]] = defaultdict(list)
        for sample in sorted(self.samples, key=lambda sample: sample.id):
            shards[shard_of(sample.volume or sample.id, self.settings.shards)].append(sample)
        return dict(shards)

    def write(self, number: int) -> Built:
        """Write one shard."""
        cv2.setNumThreads(1)
        members = self.shards[number]
        fingerprints = [_fingerprint(sample) for sample in members]
        key = self._key(members, fingerprints)
        packed = store.load(self.store_folder, f"{key}.pt")
        known = store.load(self.store_folder, f"{key}.json")
        problems: dict[str, str] = {}
        if packed is None or known is None:
            packed, known, problems = self._compute(members, fingerprints)
            if not problems:
                store.save(self.store_folder, f"{key}.pt", packed)
                store.save(self.store_folder, f"{key}.json", known)
        (self.cache / shard_name(number)).write_bytes(packed)
        return Built(json.loads(bytes(known)), problems)

    def _key(self, members: list[Sample], fingerprints: list[str]) -> str:
        pixels = {name: getattr(self.settings, name) for name in Pixels.model_fields}
        described = [
            (s.id, s.group, s.spacing, s.side, s.volume, s.source, dict(s.facts), fingerprint)
            for s, fingerprint in zip(members, fingerprints, strict=True)
        ]
        return hashlib.sha256(json.dumps([self.digest, asdict(self.spec), pixels, described]).encode()).hexdigest()

    def _compute(self, members: list[Sample], fingerprints: list[str]) -> tuple[bytes, bytes, dict[str, str]]:
        tensors: dict[str, Tensors] = {}
        facts: list[Facts] = []
        problems: dict[str, str] = {}
        intensity = Intensity(self.spec, self.settings)
        for sample, fingerprint in zip(members, fingerprints, strict=True):
            try:
                tensors[sample.id], known = self._read(sample, fingerprint, intensity)
                facts.append(known)
            except SegError as error:
                problems[sample.id] = str(error)
            except (cv2.error, ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, ValueError) as error:
                problems[sample.id] = f"sample '{sample.id}': cannot be processed ({type(error).__name__}: {error})"
        return pack_shard(tensors), json.dumps(facts).encode(), problems

    def _read(self, sample: Sample, fingerprint: str, intensity: Intensity) -> tuple[Tensors, Facts]:
        image, mask = sample.read(self.spec)
        limits = intensity.limits(sample, image)
        shape = geometry(mask.shape, sample.spacing, self.settings)
        tensors = {
            "image": torch.from_numpy(_channels_first(shape.image(intensity.apply(image, limits)))),
            "mask": torch.from_numpy(np.ascontiguousarray(shape.mask(mask))),
        }
        return tensors, sample_facts(sample, fingerprint, image, mask, self.spec, limits)


def _fingerprint(sample: Sample) -> str:
    """Empty where a file cannot be read, which reading the sample then tells."""
    try:
        return sample.fingerprint()
    except SegError:
        return ""


def _on_threads(builder: CacheBuilder) -> Iterator[Built]:
    parallel = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator_unordered")
    return cast("Iterator[Built]", parallel(joblib.delayed(builder.write)(number) for number in builder.shards))


def write_index(path: Path, name: str, spec: Spec, facts: Sequence[Facts], take: str = "axial") -> None:
    """Write what is known of the data set and of each sample before any resizing; `take`: how volumes are seen."""
    index: dict[str, Any] = {"dataset": {"name": name, "take": take, **asdict(spec)}, "samples": facts}
    path.write_text(json.dumps(index, indent=1) + "\n")


def _channels_first(image: np.ndarray) -> np.ndarray:
    if image.ndim == 4:
        return np.ascontiguousarray(np.moveaxis(image, -1, 0))
    planes = np.empty((image.shape[2], *image.shape[:2]), image.dtype)
    cv2.split(image, list(planes))  # five times as fast as numpy's transposed copy
    return planes
