"""HD95, NSD and ASSD from one search for the nearest points a side, against MONAI's three functions.

Target: at least 8× per case, at values that agree. Truths are Kvasir-SEG's masks at their own size; a prediction is
the mask turned, scaled and moved a little, in every fourth case with a false object elsewhere. Both sides start from
a pair of boolean maps; MONAI's tensors are made beforehand. `--spacing 1 0.7` has pixels of unequal sides.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from monai.metrics.hausdorff_distance import compute_hausdorff_distance
from monai.metrics.surface_dice import compute_surface_dice
from monai.metrics.surface_distance import compute_average_surface_distance

from benchmarks.measuring import alternate, cost, report, report_host, scratch
from benchmarks.photographs import write_photographs
from seglib.distances import SurfaceDistances, surface_distances

TOLERANCE = 2.0
Pair = tuple[np.ndarray, np.ndarray]


def main() -> None:
    """Print milliseconds a case of both sides, their ratio and the largest disagreement."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--spacing", type=float, nargs=2, default=(1.0, 1.0))
    options = arguments.parse_args()
    report_host()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with scratch() as folder:
        print(write_photographs(folder / "data", options.images))
        pairs = [_pair(file, number) for number, file in enumerate(sorted((folder / "data/masks").iterdir()))]
    _compare([pair for pair in pairs if pair[0].any() and pair[1].any()], tuple(options.spacing), options.rounds)


def _compare(pairs: Sequence[Pair], spacing: tuple[float, ...], rounds: int) -> None:
    tensors = [tuple(torch.from_numpy(plane)[None, None] for plane in pair) for pair in pairs]
    sides: dict[str, Callable[[], list[SurfaceDistances]]] = {
        "MONAI": lambda: [_monai(truth, guess, spacing) for truth, guess in tensors],
        "ours": lambda: [surface_distances(truth, guess, spacing, TOLERANCE) for truth, guess in pairs],
    }
    apart = np.abs(np.array(sides["MONAI"]()) - np.array(sides["ours"]())).max(0)
    for name, value in zip(SurfaceDistances._fields, apart, strict=True):
        report(f"{name}: largest disagreement of {len(pairs)} cases", value, "", at_most=1e-4)
    found = alternate({name: lambda work=work: cost(work) for name, work in sides.items()}, rounds)
    for name, value in found.items():
        report(f"HD95, NSD and ASSD, spacing {spacing} [{name}]: a case", 1e3 * value.wall / len(pairs), "ms")
    report("MONAI / ours, by the clock", found["MONAI"].wall / found["ours"].wall, "x", at_least=8)
    report("MONAI / ours, by CPU seconds", found["MONAI"].cpu / found["ours"].cpu, "x")


def _monai(truth: torch.Tensor, guess: torch.Tensor, spacing: tuple[float, ...]) -> SurfaceDistances:
    hd95 = compute_hausdorff_distance(guess, truth, include_background=True, percentile=95, spacing=spacing)
    nsd = compute_surface_dice(guess, truth, [TOLERANCE], include_background=True, spacing=spacing)
    assd = compute_average_surface_distance(guess, truth, include_background=True, symmetric=True, spacing=spacing)
    return SurfaceDistances(hd95.item(), nsd.item(), assd.item())


def _pair(file: Path, seed: int) -> Pair:
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    random = np.random.default_rng(seed)
    height, width = mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-5, 5), random.uniform(0.93, 1.07))
    turn[:, 2] += random.uniform(-6, 6, 2)
    guess = cv2.warpAffine(mask, turn, (width, height))
    if seed % 4 == 0:
        cv2.circle(guess, tuple(random.integers(0, (width, height)).tolist()), 8, 255, -1)
    return mask > 127, guess > 127


if __name__ == "__main__":
    main()
