"""One of 20,000 images changed: what `dvc repro` costs, packed in shards and as a file a sample.

Targets: the stage at most 6 s, `dvc repro split` at most 15 s. `dvc repro split` runs what is
affected up to the split (config, download, preprocess, check, split); training is no preprocessing.
20,000 images with their masks are 40,000 files, and DVC walks a changed folder about ten times, so
the same data as one stored zip archive stands beside it; packing it anew is not timed.
Everything that is read lies in the page cache. Needs some minutes and 9 GB of temporary files.
"""

import argparse
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measuring import Cost, alternate, cost, new_project, report, report_cost, report_host, scratch
from tests.project import Project

SIDE = 160
CACHED_SIDE = 128
SHARDS = 128
LAYOUTS = {"shards": "seglib.stage preprocess", "file a sample": "benchmarks.file_per_sample"}


def main() -> None:
    """Print seconds of the rebuild, of one changed image and of no change, for both layouts."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    report_host()
    with scratch() as folder:
        data = folder / "data"
        write_images(data, options.images)
        cached = CACHED_SIDE**2 * 4 / 1e3
        raw = sum(file.stat().st_size for file in data.rglob("*") if file.is_file()) / options.images / 1e3
        print(f"{options.images} images with masks, {raw:.1f} kB raw and {cached:.1f} kB cached each, {SHARDS} shards")
        projects = {name: _project(folder / module, data, module) for name, module in LAYOUTS.items()}
        change = _changes(data, options.images)
        _compare(projects, change, options.rounds, full=options.images == 20_000)
        shutil.rmtree(projects["file a sample"].root)
        _measure_archive(folder, change, options.rounds)


def _compare(projects: dict[str, Project], change: Iterator[None], rounds: int, *, full: bool) -> None:
    def rebuild(name: str) -> Cost:
        return cost(lambda: projects[name].repro("split"))

    def stage(name: str) -> Cost:
        next(change)
        shutil.rmtree(projects[name].root / "data/cache")
        return cost(lambda: projects[name].run("python", "-m", LAYOUTS[name]))

    def repro(name: str) -> Cost:
        next(change)
        return cost(lambda: _expect(projects[name], ["preprocess", "check", "split"]))

    def nothing(name: str) -> Cost:
        return cost(lambda: _expect(projects[name], []))

    def measure(work: Callable[[str], Cost], times: int) -> dict[str, Cost]:
        return alternate({name: partial(work, name) for name in projects}, times)

    _print("clean rebuild, dvc repro split", measure(rebuild, 1), None)
    _print("1 image changed, preprocess alone", measure(stage, rounds), 6 if full else None)
    _print("1 image changed, dvc repro split", measure(repro, rounds), 15 if full else None)
    for project in projects.values():
        project.repro("split")
    _print("nothing changed, dvc repro split", measure(nothing, rounds), None)


def _measure_archive(folder: Path, change: Iterator[None], rounds: int) -> None:
    data, archive = folder / "data", folder / "data.zip"
    _pack(data, archive)
    project = _project(folder / "archive", archive, LAYOUTS["shards"])
    project.repro("split")

    def repro() -> Cost:
        next(change)
        _pack(data, archive)
        return cost(lambda: _expect(project, ["preprocess", "check", "split"]))

    found = alternate({"zip": repro}, rounds)["zip"]
    report_cost("1 image changed, dvc repro split [shards, data as one zip]", found, at_most=15)


def _pack(data: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(data.glob("*/*")):
            file.write(path, path.relative_to(data))


def _print(what: str, sides: dict[str, Cost], at_most: float | None) -> None:
    packed, loose = sides.values()
    for (name, found), target in zip(sides.items(), (at_most, None), strict=True):
        report_cost(f"{what} [{name}]", found, at_most=target)
    report(f"{what}: file a sample / shards", loose.wall / packed.wall, "x")


def _expect(project: Project, ran: list[str]) -> None:
    found = project.repro("split").ran
    assert found == ran, f"ran {found}, expected {ran}"


def _project(root: Path, source: Path, module: str) -> Project:
    project = new_project(
        root,
        {
            "data.name": "folder",
            "data.path": str(source),
            "preprocess.image_size": CACHED_SIDE,
            "preprocess.shards": SHARDS,
        },
    )
    pipeline = root / "dvc.yaml"
    pipeline.write_text(pipeline.read_text().replace("python -m seglib.stage preprocess", f"python -m {module}"))
    return project


def _changes(data: Path, images: int) -> Iterator[None]:
    for i in count():
        _write_pair(data, (i * 7919) % images, seed=images + i)
        yield


def write_images(data: Path, images: int) -> None:
    """Write `images` JPEGs of about 20 kB with a PNG mask each."""
    (data / "images").mkdir(parents=True)
    (data / "masks").mkdir()
    for i in range(images):
        _write_pair(data, i, seed=i)


def _write_pair(data: Path, number: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    centre = (int(random.integers(30, SIDE - 30)), int(random.integers(30, SIDE - 30)))
    cv2.circle(mask, centre, int(random.integers(10, 30)), 255, -1)
    image = random.integers(0, 90, (SIDE, SIDE, 3), np.uint8) + mask[:, :, None] // 2
    cv2.imwrite(str(data / "images" / f"case{number:06d}.jpg"), image)
    cv2.imwrite(str(data / "masks" / f"case{number:06d}.png"), mask)


if __name__ == "__main__":
    main()
