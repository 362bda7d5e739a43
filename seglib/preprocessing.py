"""From samples to the tensor cache and the index, recomputing only the shards that changed."""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import joblib
import numpy as np
import torch
from tqdm import tqdm

from seglib import store
from seglib.io.cache import Tensors, pack_shard, shard_name, shard_of
from seglib.io.resize import resize_image, resize_mask, target_shape
from seglib.io.sample import Sample, Spec
from seglib.sections.preprocess import Preprocess

Facts = dict[str, Any]
"""What the index knows of a sample: id, group, native height and width, spacing, pixels a class."""


@dataclass(frozen=True)
class CacheBuilder:
    """Writes shards into `cache`, taking unchanged ones from `store_folder`.

    `digest` stands for everything that decides about pixels besides the samples themselves: code,
    library versions and the data set's options.
    """

    spec: Spec
    settings: Preprocess
    digest: str
    cache: Path
    store_folder: Path

    def build(self, samples: Sequence[Sample]) -> list[Facts]:
        """Write every shard, on all cores; returns the samples' facts in the order of their ids.

        Memory holds about three times a shard for each core. Raises SegError for a sample that cannot be used.
        """
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir(parents=True)
        shards = self._assign(samples)
        cv2.setNumThreads(1)
        parallel = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator_unordered")
        tasks = (joblib.delayed(self._write)(number, members) for number, members in shards.items())
        facts: list[Facts] = []
        with tqdm(desc="preprocess", total=len(samples), unit="image", disable=None) as bar:
            for done in cast("Iterator[list[Facts]]", parallel(tasks)):
                facts += done
                bar.update(len(done))
        return sorted(facts, key=lambda fact: fact["id"])

    def _assign(self, samples: Sequence[Sample]) -> dict[int, list[Sample]]:
        shards: defaultdict[int, list[Sample]] = defaultdict(list)
        for sample in sorted(samples, key=lambda sample: sample.id):
            shards[shard_of(sample.id, self.settings.shards)].append(sample)
        return shards

    def _write(self, number: int, members: list[Sample]) -> list[Facts]:
        fingerprints = [sample.fingerprint() for sample in members]
        key = self._key(members, fingerprints)
        packed = store.load(self.store_folder, f"{key}.pt")
        known = store.load(self.store_folder, f"{key}.json")
        if packed is None or known is None:
            packed, known = self._compute(members, fingerprints)
            store.save(self.store_folder, f"{key}.pt", packed)
            store.save(self.store_folder, f"{key}.json", known)
        (self.cache / shard_name(number)).write_bytes(packed)
        return json.loads(bytes(known))

    def _key(self, members: list[Sample], fingerprints: list[str]) -> str:
        content = [
            self.digest,
            self.settings.image_size,
            [(s.id, s.group, s.spacing, f) for s, f in zip(members, fingerprints, strict=True)],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _compute(self, members: list[Sample], fingerprints: list[str]) -> tuple[bytes, bytes]:
        tensors: dict[str, Tensors] = {}
        facts: list[Facts] = []
        for sample, fingerprint in zip(members, fingerprints, strict=True):
            image, mask = sample.read(self.spec)
            shape = target_shape(mask.shape[0], mask.shape[1], self.settings.image_size)
            tensors[sample.id] = {
                "image": torch.from_numpy(_channels_first(resize_image(image, shape))),
                "mask": torch.from_numpy(np.ascontiguousarray(resize_mask(mask, shape))),
            }
            facts.append(_facts(sample, fingerprint, mask, len(self.spec.classes)))
        return pack_shard(tensors), json.dumps(facts).encode()


def write_index(path: Path, name: str, spec: Spec, facts: Sequence[Facts]) -> None:
    """Write what is known of the data set and of each sample before any resizing."""
    index = {"dataset": {"name": name, **asdict(spec)}, "samples": facts}
    path.write_text(json.dumps(index, indent=1) + "\n")


def _channels_first(image: np.ndarray) -> np.ndarray:
    planes = np.empty((image.shape[2], *image.shape[:2]), image.dtype)
    cv2.split(image, list(planes))  # five times as fast as numpy's transposed copy
    return planes


def _facts(sample: Sample, fingerprint: str, mask: np.ndarray, classes: int) -> Facts:
    return {
        "id": sample.id,
        "group": sample.group,
        "height": mask.shape[0],
        "width": mask.shape[1],
        "spacing": sample.spacing,
        "pixels": [int(np.count_nonzero(mask == index)) for index in range(classes)],
        "fingerprint": fingerprint,
    }
