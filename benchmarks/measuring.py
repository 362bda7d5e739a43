"""Wall-clock and CPU seconds, medians, and the lines that state target, figure and verdict."""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from seglib.config import read_params
from seglib.sections.preprocess import Preprocess
from tests.project import Project, make_project


class Cost(NamedTuple):
    """Seconds on the clock, and of all cores together with child processes.

    Where other work shares the machine, `wall` grows much and `cpu` little.
    """

    wall: float
    cpu: float


def cost(work: Callable[[], object]) -> Cost:
    """What one call costs."""
    started, before = time.perf_counter(), sum(os.times()[:4])
    work()
    return Cost(time.perf_counter() - started, sum(os.times()[:4]) - before)


def alternate(sides: Mapping[str, Callable[[], Cost]], rounds: int) -> dict[str, Cost]:
    """Median cost of each side; the sides take turns, so that a busy machine slows all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            costs[name].append(measure())
    return {name: Cost(*map(statistics.median, zip(*found, strict=True))) for name, found in costs.items()}


def report_host() -> None:
    """Print what the figures depend on."""
    load = os.getloadavg()[0]
    print(f"{_cpu()}, {os.cpu_count()} cores, load {load:.1f} at the start, {time.strftime('%Y-%m-%d')}", flush=True)


def report(what: str, figure: float, unit: str, *, at_most: float | None = None, at_least: float | None = None) -> None:
    """Print a figure, with its target and whether it is met where it has one."""
    line = f"{what:<80} {figure:9.4g} {unit:<9}"
    if at_most is not None:
        line += f" target <= {at_most:g}: {'met' if figure <= at_most else 'MISSED'}"
    if at_least is not None:
        line += f" target >= {at_least:g}: {'met' if figure >= at_least else 'MISSED'}"
    print(line.rstrip(), flush=True)


def report_cost(what: str, found: Cost, *, at_most: float | None = None) -> None:
    """Print a cost; the target is for the clock."""
    report(f"{what} (CPU: {found.cpu:.3g} s)", found.wall, "s", at_most=at_most)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is deleted at the end; DVC's state of files in it goes with it."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        before = os.environ.get("DVC_SITE_CACHE_DIR")
        os.environ["DVC_SITE_CACHE_DIR"] = f"{name}/dvc-state"
        try:
            yield Path(name)
        finally:
            del os.environ["DVC_SITE_CACHE_DIR"]
            if before is not None:
                os.environ["DVC_SITE_CACHE_DIR"] = before


def preprocess_settings(**values: Any) -> Preprocess:
    """The `preprocess` section of `params.yaml` with other values."""
    return Preprocess.model_validate(read_params()["preprocess"] | values)


def new_project(root: Path, params: dict[str, Any]) -> Project:
    """A throw-away checkout of the project in `root`."""
    root.mkdir()
    return make_project(root, params)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
