"""A process of its own in which one model is timed: `python -m seglib.export.timed MODEL IMAGE DEVICE THREADS`.

IMAGE is a `.npy` file of one raw image [channels, *space]. It says `null` once it is ready, answers a batch size with
milliseconds, and the end of its input with the most megabytes that it held; one line of JSON each.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from torch import Tensor

from seglib.deployed import open_model
from seglib.device import open_device
from seglib.peak_memory import peak_megabytes
from seglib.sections.compute import Compute

CALLS = 3
"""Timed in a turn, after one that is not."""


def main(model: str, image: str, device: str, threads: str) -> None:
    """Answer until the input ends."""
    answers = _own_output()
    predict, _ = open_model(Path(model), _opened(device, int(threads)), int(threads))
    raw = torch.from_numpy(np.load(image))
    _say(None, answers)
    for line in sys.stdin:
        batch = raw.expand(int(line), *raw.shape).contiguous().to(device)
        _say(milliseconds(predict, batch), answers)
    _say(peak_megabytes(), answers)


def _opened(device: str, threads: int) -> torch.device:
    """The device; a GPU as exact as where the model is used, without TF32."""
    if device.startswith("cuda"):
        return open_device(Compute(device="cuda", threads=threads))
    torch.set_num_threads(threads)
    return torch.device(device)


@torch.inference_mode()
def milliseconds(predict: Callable[[Tensor], Tensor], batch: Tensor) -> list[float]:
    """Of CALLS calls, from the batch on the model's device to its logits there."""
    found = []
    for _ in range(1 + CALLS):
        started = time.perf_counter()
        predict(batch)
        if batch.is_cuda:
            torch.cuda.synchronize()
        found.append(1000 * (time.perf_counter() - started))
    return found[1:]


def _own_output() -> TextIO:
    """The standard output for answers alone; whatever a library prints goes where errors go."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _say(answer: object, answers: TextIO) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
