"""Which device and which precision a run gets."""

import os
from pathlib import Path

import torch

from seglib.errors import SegError
from seglib.sections.compute import Compute

BF16_CPU_FLAGS = ("avx512_bf16", "amx_bf16")


def open_device(compute: Compute, *, deterministic: bool = True) -> torch.device:
    """Set this process's threads and determinism, and choose the device.

    Raises SegError where `device` is cuda and there is none.
    """
    torch.set_num_threads(compute.threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    # writes every new tensor once more, which helps to find reads of what was never written and nothing else
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    torch.backends.cudnn.benchmark = not deterministic
    torch.backends.cudnn.allow_tf32 = not deterministic  # TF32 keeps 10 of float32's 23 bits
    if compute.device == "cuda" and not torch.cuda.is_available():
        raise SegError(
            "train.device: cuda, but this PyTorch sees no GPU; set it to auto or cpu, "
            "or install the driver and the GPU build of torch"
        )
    on_gpu = compute.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")


def resolve_precision(wanted: str, device: torch.device) -> str:
    """`fp32` or `bf16`; auto takes bfloat16 where the hardware computes in it."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if any(flag in _cpu_flags() for flag in BF16_CPU_FLAGS) else "fp32"


def _cpu_flags() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("flags")), "")
