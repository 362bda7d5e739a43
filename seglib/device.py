"""Which device and which precision a run gets."""

import os
from collections.abc import Sequence

import torch
from lightning_fabric import Fabric
from lightning_fabric.loggers.logger import Logger

from seglib.errors import SegError
from seglib.sections.compute import Compute

BF16_CPU_FLAGS = ("avx512_bf16", "amx_bf16")
PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed"}


def open_fabric(compute: Compute, precision: str = "32", *, deterministic: bool = True, loggers: Sequence[Logger] = ()) -> Fabric:
    """Set threads and determinism for this process and choose device and precision.

    Raises SegError where `device` is cuda and there is none.
    """
    torch.set_num_threads(compute.threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = not deterministic
    device = resolve_device(compute.device)
    resolved = resolve_precision(device) if precision == "auto" else precision
    return Fabric(accelerator=device, devices=1, precision=PRECISIONS[resolved], loggers=list(loggers))


def resolve_device(wanted: str) -> str:
    """`cuda` or `cpu`; auto takes the GPU where there is one."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise SegError(
            "train.device: cuda, but this PyTorch sees no GPU; set it to auto or cpu, "
            "or install the driver and the GPU build of torch"
        )
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return wanted


def resolve_precision(device: str) -> str:
    """`bf16` where the hardware computes in it, else `32`."""
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    return "bf16" if any(flag in _cpu_flags() for flag in BF16_CPU_FLAGS) else "32"


def _cpu_flags() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii") as file:
            return next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return ""
