"""Peak memory of preprocessing: 10,000 generated images against 1,000, and volumes larger than a shard.

A process of its own builds each cache. Target: at 10 times the images, and at 4 times the volumes, the
same peak within 20 %: memory follows from the size of a shard or of one volume. What grows with the
number of samples is the index, about 3 kB for each.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import nibabel
import numpy as np

from benchmarks.measuring import preprocess_settings, report, report_host, scratch
from seglib.config import read_params
from seglib.datasets import folder, synthetic
from seglib.io.sample import Sample, Spec
from seglib.peak_memory import peak_megabytes
from seglib.preprocessing import CacheBuilder

IMAGES_PER_SHARD = 32
SIDE = 192
"""Voxels along each edge of a volume of 16 bits: 14 MB with its mask 21, where a shard of images has 2."""

CLASSES = [{"name": "background", "value": 0}, {"name": "object", "value": 1}]


def main() -> None:
    """Print peak memory of both sides and their ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=1000)
    images = arguments.parse_args().images
    report_host()
    with scratch() as place:
        _compare(place, "generated images of 256×256", images, 10 * images, _images)
        _compare(place, f"volumes of {SIDE}³ voxels", 4, 16, _volumes)


def _compare(place: Path, what: str, few: int, many: int, build: Callable[[Path, int], float]) -> None:
    peaks = {}
    for number in (few, many):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            peaks[number] = pool.submit(partial(build, place / f"{build.__name__}-{number}"), number).result()
        report(f"peak memory, {number} {what}", peaks[number], "MB")
    report(f"peak memory, {many} / {few} {what}", peaks[many] / peaks[few], "x", at_most=1.2)


def _images(place: Path, number: int) -> float:
    params = synthetic.Params(count=number, per_group=1, height=256, width=256, classes=2, seed=0)
    return _build(place, synthetic.samples(place, params), synthetic.spec(place, params), number // IMAGES_PER_SHARD)


def _volumes(place: Path, number: int) -> float:
    random = np.random.default_rng(0)
    for kind, most in (("images", 1000), ("masks", 2)):
        (place / kind).mkdir(parents=True)
        for i in range(number):
            voxels = random.integers(0, most, (SIDE,) * 3).astype(np.int16 if kind == "images" else np.uint8)
            nibabel.Nifti1Image(voxels, np.eye(4)).to_filename(place / kind / f"case{i}.nii")
    options = read_params()["data"]["folder"]
    params = folder.Params.model_validate(options | {"channels": 1, "classes": CLASSES, "modality": "mri"})
    return _build(place, folder.samples(place, params), folder.spec(place, params), 64)


def _build(place: Path, samples: list[Sample], spec: Spec, shards: int) -> float:
    settings = preprocess_settings(image_size=1.0, shards=shards)
    CacheBuilder(samples, spec, settings, "benchmark", place / "cache", place / "store").build()
    return peak_megabytes()


if __name__ == "__main__":
    main()
