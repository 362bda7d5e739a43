"""`CacheBuilder` against a bare loop of `cv2.imdecode` and `cv2.resize` on as many cores.

Targets: at least 0.8 of the bare loop's images a second; peak memory the same at N and 4 N images
where a shard holds as many, so that memory is one shard a core however large the data set is.
The bare loop reads, decodes and resizes the same files and drops the result; the builder also checks
and hashes the files, counts the classes, and writes shards to the store and to the cache. What that
costs follows from the cached size, so the ratio is best where images are much larger than the cache's.
"""

import argparse
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measuring import (
    Cost,
    alternate,
    cost,
    preprocess_settings,
    report,
    report_cost,
    report_host,
    scratch,
)
from benchmarks.photographs import write_photographs
from seglib.datasets import kvasir
from seglib.peak_memory import peak_megabytes
from seglib.preprocessing import CacheBuilder

CASES = ((1, 256), (1, 128), (2, 256))
"""How often the side of 352 pixels is enlarged, and the cached side. Kvasir-SEG's published images
have 332×487 to 1920×1072 pixels; the test data's copies were made smaller."""
IMAGES_PER_SHARD = 32


def main() -> None:
    """Print images a second of both sides and their ratio, then peak memory at N and 4 N."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    report_host()
    with scratch() as folder:
        _compare_memory(folder, options.images)
        for enlarged, image_size in CASES:
            data = folder / f"data-{enlarged}-{image_size}"
            print(write_photographs(data, options.images, enlarged), f"→ {image_size}×{image_size}")
            _compare_speed(data, image_size, options.images, options.rounds)


def _compare_speed(data: Path, image_size: int, images: int, rounds: int) -> None:
    files = [(data / "images" / file.name, file) for file in sorted((data / "masks").iterdir())]

    def built() -> Cost:
        found = cost(lambda: build(data, image_size, images))
        shutil.rmtree(data.parent / "work")
        return found

    figures = alternate({"bare loop": lambda: cost(lambda: _bare(files, image_size)), "CacheBuilder": built}, rounds)
    for name, found in figures.items():
        report_cost(name, found)
        report(name, images / found.wall, "images/s")
    bare, builder = figures.values()
    report("CacheBuilder / bare loop, images/s by the clock", bare.wall / builder.wall, "x", at_least=0.8)
    report("CacheBuilder / bare loop, images per CPU second", bare.cpu / builder.cpu, "x")


def _bare(files: list[tuple[Path, Path]], image_size: int) -> None:
    cv2.setNumThreads(1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(partial(_decode, (image_size, image_size)), files):
            pass


def _decode(shape: tuple[int, int], pair: tuple[Path, Path]) -> None:
    for file, flags, how in zip(
        pair, (cv2.IMREAD_COLOR_RGB, cv2.IMREAD_GRAYSCALE), (cv2.INTER_AREA, cv2.INTER_NEAREST_EXACT), strict=True
    ):
        pixels = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), flags)
        assert pixels is not None
        cv2.resize(pixels, shape, interpolation=how)


def build(data: Path, image_size: int, images: int) -> None:
    """Build the cache of `data` beside it, with nothing in the store."""
    options = kvasir.Params(threshold=127)
    settings = preprocess_settings(image_size=image_size, shards=max(1, images // IMAGES_PER_SHARD))
    work = data.parent / "work"
    samples, spec = kvasir.samples(data, options), kvasir.spec(data, options)
    CacheBuilder(samples, spec, settings, "benchmark", work / "cache", work / "store").build()


def _compare_memory(folder: Path, images: int) -> None:
    peaks: dict[int, float] = {}
    for number in (images, 4 * images):
        write_photographs(folder / f"memory-{number}", number)
        peaks[number] = _peak_megabytes(folder / f"memory-{number}", number)
        report(f"peak memory, {number} images → 256×256, {IMAGES_PER_SHARD} a shard", peaks[number], "MB")
    report(f"peak memory, {4 * images} / {images} images", peaks[4 * images] / peaks[images], "x", at_most=1.1)


def _peak_megabytes(data: Path, images: int) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        peak = pool.submit(_build_and_measure, data, images).result()
    shutil.rmtree(data.parent / "work")
    return peak


def _build_and_measure(data: Path, images: int) -> float:
    build(data, 256, images)
    return peak_megabytes()


if __name__ == "__main__":
    main()
