import os
import signal

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from seglib.config import read_params, section
from seglib.errors import SegError
from seglib.out_of_memory import explained
from seglib.sections.train import Train

PARAMS = read_params()
SETTINGS = section(
    PARAMS | {"train": PARAMS["train"] | {"batch_size": 12, "accumulate": 3, "precision": "fp16"}}, "train", Train
)


def explanation_of(error):
    with pytest.raises(SegError) as explanation, explained(SETTINGS, [640, 480]):
        raise error
    return str(explanation.value)


def test_a_real_failure_of_the_cpus_allocator_is_explained():
    with pytest.raises(SegError) as explanation, explained(SETTINGS, [640, 480]):
        torch.empty(2**46, dtype=torch.uint8)
    amount, batch, size, precision = str(explanation.value).splitlines()
    assert amount == "training ran out of memory: 67108864 MiB more were asked for; any of these needs less:"
    assert batch.startswith("train.batch_size lower (now 12), or train.accumulate higher (now 3)")
    assert size == "preprocess.image_size smaller (now [640, 480])"
    assert precision == "train.precision bf16 (now fp16), or a smaller model"
    assert isinstance(explanation.value.__cause__, RuntimeError)


def test_a_full_gpu_is_explained_with_what_was_asked_for():
    text = (
        "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 7.79 GiB of which 1 GiB is free."
    )
    assert "2.50 GiB more were asked for" in explanation_of(torch.OutOfMemoryError(text))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:82] data. DefaultCPUAllocator: not enough memory: you failed"),
        torch.OutOfMemoryError("no figures at all"),
    ],
    ids=str,
)
def test_without_an_amount_it_is_explained_all_the_same(error):
    assert "there is less than was asked for" in explanation_of(error)


class Ending(Dataset[int]):
    """Samples whose second ends the process that reads it."""

    def __init__(self, end):
        self.end = end

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index:
            self.end()
        return index


@pytest.mark.parametrize(
    "end",
    [
        lambda: os.kill(os.getpid(), signal.SIGKILL),
        lambda: os.kill(os.getpid(), signal.SIGBUS),
        lambda: os._exit(1),
    ],
    ids=["killed", "no shared memory", "ended"],
)
def test_a_loading_process_that_has_ended_is_explained(end):
    loader = DataLoader(Ending(end), num_workers=1, multiprocessing_context="fork")
    with pytest.raises(SegError) as explanation, explained(SETTINGS, 1.0):
        list(loader)
    text = str(explanation.value)
    assert text.startswith("a process that loads images has ended: DataLoader worker (pid")
    assert "train.workers lower (now " in text


@pytest.mark.parametrize(
    "error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("out of memory")]
)
def test_any_other_error_passes_through(error):
    with pytest.raises(type(error)) as passed, explained(SETTINGS, 1.0):
        raise error
    assert passed.value is error


def test_nothing_happens_where_memory_suffices():
    with explained(SETTINGS, 1.0):
        assert torch.ones(3).sum() == 3
