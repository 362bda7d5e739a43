"""Running out of memory, explained by the settings that decide how much is needed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from seglib.errors import SegError
from seglib.sections.train import Train

SIGNS = ("DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory", "out of memory")
"""In the text of a RuntimeError: of the CPU's allocator on Linux and Windows, and of CUDA outside torch's own."""
LOADER = re.compile(r"DataLoader worker \(pid.*?\) (?:is killed by signal: [\w ]+|exited unexpectedly)")
AMOUNT = re.compile(r"tried to allocate ([\d.]+) (\w+)", re.IGNORECASE)


def lacks_memory(error: Exception) -> bool:
    """Whether it tells of a failed allocation, by Python or by torch, on the CPU or on a GPU."""
    is_plain = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return is_plain or (isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS))


@contextmanager
def explained(settings: Train, image_size: object) -> Iterator[None]:
    """Turn a failed allocation inside the block, and the end of a loading process, into a SegError.

    `image_size` is that of `preprocess`. Every other error passes through.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if ended := LOADER.search(str(error)):
            raise SegError(_explain_loader(ended[0], settings)) from error
        if not lacks_memory(error):
            raise
        raise SegError(_explain(str(error), settings, image_size)) from error


def _explain_loader(ended: str, settings: Train) -> str:
    return (
        f"a process that loads images has ended: {ended}. The system does so where memory runs out, and in a container "
        f"where /dev/shm is full. Take train.workers lower (now {settings.workers}), give the container more shared "
        "memory (--shm-size), then `dvc repro` goes on after the last finished epoch"
    )


def _explain(message: str, settings: Train, image_size: object) -> str:
    return (
        f"training ran out of memory: {_asked(message)}; any of these needs less:\n"
        f"train.batch_size lower (now {settings.batch_size}), or train.accumulate higher (now {settings.accumulate}), "
        "which takes the same steps in smaller parts\n"
        f"preprocess.image_size smaller (now {image_size})\n"
        f"train.precision bf16 (now {settings.precision}), or a smaller model"
    )


def _asked(message: str) -> str:
    found = AMOUNT.search(message)
    if not found:
        return "there is less than was asked for"
    amount, unit = found.groups()
    more = f"{int(amount) / 2**20:.0f} MiB" if unit == "bytes" else f"{amount} {unit}"
    return f"{more} more were asked for"
