"""Every variant of an exported model that runs on a CPU against PyTorch's eager float32, side by side.

Targets, for MONAI's U-Net (32 to 512, 2 residual units) on 256² images with 2 threads: the best float32 runtime at
least 2.2× at batch 8; the best 8-bit one at least 4.5× at batch 8 and 2.5× at batch 1, in a file of at most 0.3 of the
float32 one. Each model has a process of its own; they take turns, so that a busy machine slows all of them, and the
figures are medians over the rounds. The weights are random, which changes no time; `--model models/best.pt` takes
a trained model instead. On an NVIDIA GPU: one image of 1918 × 1280 in at most 10 ms.
"""

import argparse
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.loading import JpegFolder
from benchmarks.measuring import report, report_host, scratch
from benchmarks.photographs import write_photographs
from seglib.checkpoint import Card, Segmenter, build_segmenter, load_checkpoint, save_checkpoint
from seglib.deployed import open_model
from seglib.device import open_device
from seglib.export.candidates import file_bytes
from seglib.export.timed import milliseconds
from seglib.export.timing import BATCHES, Runner, time_models
from seglib.export.variants import RECIPES, TRAINED, Origin, make_variants, unavailable
from seglib.sections.compute import Compute
from tests.model_cards import card

CARVANA = (1280, 1918)
CPU = torch.device("cpu")
OPTIONS = {"channels": [32, 64, 128, 256, 512], "strides": [], "num_res_units": 2, "dropout": 0.0}


def main() -> None:
    """Print milliseconds, ratios and sizes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, help="a trained model of photographs, instead of one made up")
    arguments.add_argument("--image-size", type=int, default=256)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--calibration", type=int, default=16, help="images for 8 bits")
    arguments.add_argument("--variants", nargs="+", default=[name for name in RECIPES if not RECIPES[name].on_gpu])
    options = arguments.parse_args()
    report_host()
    with scratch() as folder:
        segmenter, own = load_checkpoint(options.model) if options.model else _made_up()
        images = _images(folder / "data", options)
        origin = Origin(folder / "torch.pt", segmenter, own)
        save_checkpoint(origin.file, own, segmenter.state_dict())
        files = {TRAINED: origin.file} | make_variants(options.variants, origin, images, folder)
        _compare(files, images[0], options)
        if torch.cuda.is_available():
            _time_on_gpu(origin, images, folder)


def _made_up() -> tuple[Segmenter, Card]:
    torch.manual_seed(0)
    own = card(options=OPTIONS)
    return build_segmenter(own, torch.tensor([140.0, 95.0, 75.0]), torch.tensor([75.0, 55.0, 50.0])), own


def _images(folder: Path, options: argparse.Namespace) -> list[np.ndarray]:
    """Raw photographs [3, size, size]."""
    print(write_photographs(folder, options.calibration))
    samples = JpegFolder(folder, options.image_size)
    return [samples[key]["image"].numpy() for key in samples]


def _compare(files: dict[str, Path], image: np.ndarray, options: argparse.Namespace) -> None:
    runners = {name: Runner(file, CPU) for name, file in files.items()}
    found = time_models(runners, image, options.threads, options.rounds)
    sizes = {name: file_bytes(file) for name, file in files.items()}
    took = {(name, batch): found[name][f"batch_{batch}"]["median_ms"] for name in files for batch in BATCHES}
    for name in files:
        report(f"{name}: file", sizes[name] / 1e6, "MB")
        for batch in BATCHES:
            report(f"{name}, {options.image_size}², batch {batch}", took[name, batch], "ms")
    faster = {(name, batch): took[TRAINED, batch] / took[name, batch] for name, batch in took if name != TRAINED}
    for (name, batch), ratio in faster.items():
        report(f"{TRAINED} / {name}, batch {batch}", ratio, "x")
    exact, integer = [name for name in files if name in RECIPES and RECIPES[name].exact], _integer(files)
    if exact:
        report("best float32 runtime, batch 8", max(faster[name, 8] for name in exact), "x", at_least=2.2)
    if integer:
        report("best in 8 bits, batch 8", max(faster[name, 8] for name in integer), "x", at_least=4.5)
        report("best in 8 bits, batch 1", max(faster[name, 1] for name in integer), "x", at_least=2.5)
        largest = max(sizes[name] for name in integer)
        report("largest file in 8 bits / trained model", largest / sizes[TRAINED], "x", at_most=0.3)


def _integer(files: dict[str, Path]) -> list[str]:
    return [name for name in files if name.endswith("_int8")]


def _time_on_gpu(origin: Origin, images: list[np.ndarray], folder: Path) -> None:
    device = open_device(Compute(device="cuda", threads=torch.get_num_threads()))
    names = [] if unavailable("tensorrt", device) else ["tensorrt"]
    raw = torch.zeros(1, *images[0].shape[:1], *CARVANA, device=device)
    for name, file in ({TRAINED: origin.file} | make_variants(names, origin, images, folder)).items():
        predict, _ = open_model(file, device)
        taken = [value for _ in range(10) for value in milliseconds(predict, raw)]
        report(f"{name}, one image of 1918 × 1280 on the GPU", median(taken), "ms", at_most=10)


if __name__ == "__main__":
    main()
