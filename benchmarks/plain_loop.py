"""The plain loop that this project's recipe for Kvasir-SEG must beat, on the same sides of the same data.

MONAI's U-Net (32 to 512, 2 residual units) at 160², batch 16, AdamW 2e-3 with a cosine, bfloat16, Dice + cross-entropy,
flips, quarter turns, affine and brightness on the batch; its last weights count, so it may train on the validation
side as well. Run it after `seg recipe kvasir` and `dvc repro`: it reads `data/split.json` and compares its mean Dice
over the test images, at their own size, with that of each of `--cases`. `--minutes` chooses the epochs from the pace
of the first one.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from monai.losses.dice import DiceCELoss
from monai.networks.nets.unet import UNet
from torch import Tensor
from torch.nn import functional

from benchmarks.loading import JpegFolder
from benchmarks.measuring import report, report_host
from seglib.case_table import parse_cases
from seglib.paths import EVALUATE_REPORT, SPLIT
from seglib.statistics import Scale, interval, mean_of_classes

SIDE, OWN_SIDE, BATCH, LR = 160, 352, 16, 2e-3


def main() -> None:
    """Train the plain loop, and print both sides with the interval of the paired difference."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path, help="folder with images/ and masks/ of JPEG files")
    arguments.add_argument("--minutes", type=float, default=20)
    arguments.add_argument("--epochs", type=int, help="instead of --minutes")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--cases", type=Path, nargs="+", default=[EVALUATE_REPORT / "cases.csv"])
    options = arguments.parse_args()
    report_host()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    sides = json.loads(SPLIT.read_text())
    images, masks = _tensors(JpegFolder(options.data, SIDE), sides["train"] + sides["val"])
    network = _train(images, masks, options.epochs, options.minutes * 60)
    plain = _test(network, options.data, sides["test"])
    report("mean Dice of the plain loop", float(plain.mean()), "")
    for cases in options.cases:
        _compare(plain, sides["test"], cases)


def _tensors(source: JpegFolder, keys: list[str]) -> tuple[Tensor, Tensor]:
    pairs = [source[key] for key in keys]
    return torch.stack([each["image"] for each in pairs]), torch.stack([each["mask"] for each in pairs])


def _train(images: Tensor, masks: Tensor, epochs: int | None, seconds: float) -> UNet:
    network = UNet(2, 3, 2, channels=(32, 64, 128, 256, 512), strides=(2, 2, 2, 2), num_res_units=2)
    loss = DiceCELoss(to_onehot_y=True, softmax=True)
    optimizer = torch.optim.AdamW(network.parameters(), LR)
    started, epoch = time.perf_counter(), 0
    while epoch < (epochs or epoch + 1):
        network.train()
        for chosen in torch.randperm(len(images)).split(BATCH):
            image, mask = _augment(images[chosen].float() / 255, masks[chosen].float()[:, None])
            with torch.autocast("cpu", torch.bfloat16):
                value = loss(network(image).float(), mask)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        epoch += 1
        epochs = epochs or max(1, int(seconds / (time.perf_counter() - started)))
        for group in optimizer.param_groups:
            group["lr"] = LR / 2 * (1 + np.cos(np.pi * epoch / epochs))
        passed = time.perf_counter() - started
        print(f"epoch {epoch}/{epochs}: loss {value.item():.3f}, {passed / 60:.1f} min", flush=True)  # pyright: ignore[reportPossiblyUnboundVariable]
    return network.eval()


def _augment(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Flips and quarter turns of the whole batch; angle, scale, shift and brightness of each image."""
    for axis in (2, 3):
        if torch.rand(()) < 0.5:
            image, mask = image.flip(axis), mask.flip(axis)
    turns = int(torch.randint(4, ()))
    image, mask = image.rot90(turns, (2, 3)), mask.rot90(turns, (2, 3))
    angle, scale = (torch.rand(len(image)) - 0.5) * np.pi / 3, 0.8 + 0.4 * torch.rand(len(image))
    shift = (torch.rand(len(image), 2, 1) - 0.5) * 0.2
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([cosine, -sine, sine, cosine], 1).view(-1, 2, 2)
    grid = functional.affine_grid(torch.cat([turn, shift], 2), list(image.shape), align_corners=False)
    image = functional.grid_sample(image, grid, align_corners=False)
    mask = functional.grid_sample(mask, grid, mode="nearest", align_corners=False)
    return (image * (0.8 + 0.4 * torch.rand(len(image), 1, 1, 1))).clamp(0, 1), mask


@torch.no_grad()
def _test(network: UNet, data: Path, test: list[str]) -> np.ndarray:
    small, own = JpegFolder(data, SIDE), JpegFolder(data, OWN_SIDE)
    return np.array([_dice(network, small[key]["image"], own[key]["mask"]) for key in test])


def _compare(plain: np.ndarray, test: list[str], cases: Path) -> None:
    table = parse_cases(cases.read_text(), str(cases))
    order = [table.ids.index(key) for key in test]
    ours = table.columns["dice"][order, 0]
    report(f"mean Dice of {cases}", float(ours.mean()), "")
    gain = interval(mean_of_classes((ours - plain)[:, None], Scale.ANY), [table.groups[row] for row in order], 0.95)
    report(f"difference, 95 % interval {gain.low:.3f} to {gain.high:.3f}", gain.value, "")


def _dice(network: UNet, image: Tensor, truth: Tensor) -> float:
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(image[None].float() / 255).float()
    own = functional.interpolate(logits, truth.shape, mode="bilinear")
    guess = own.argmax(1)[0].numpy() == 1
    true = truth.numpy() == 1
    return 2 * float((guess & true).sum()) / float(guess.sum() + true.sum())


if __name__ == "__main__":
    main()
