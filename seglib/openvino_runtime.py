"""OpenVINO without its telemetry, which sends a message at import and leaves files in the home directory."""

import sys
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

SECTION = "seg"
"""Where an OpenVINO file keeps what is ours in its `rt_info`."""
CARD, PRECISION = [SECTION, "card"], [SECTION, "precision"]
"""Paths of the card, and of the precision of the arithmetic: f32 or bf16."""


def openvino() -> ModuleType:
    """The library; to be called before anything else imports it, NNCF included."""
    blocked: dict[str, Any] = {"openvino_telemetry": None}
    for name, nothing in blocked.items():
        sys.modules.setdefault(name, nothing)
    import openvino

    return openvino


@cache
def core() -> Any:
    """OpenVINO's `Core`, one for the process, so that the devices' libraries stay loaded.

    That of the CPU gives the thread that loads it a stack for signals, and frees it wherever it is unloaded: were that
    in another thread, the next signal, such as the end of a child process, would end this one.
    """
    return openvino().Core()


def save(model: Any, path: Path, *, compressed: bool) -> None:
    """Write a model's two files, the weights first and each whole; `compressed`: weights of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        new = Path(folder) / path.name
        openvino().save_model(model, new, compress_to_fp16=compressed)
        for suffix in (".bin", path.suffix):
            new.with_suffix(suffix).replace(path.with_suffix(suffix))
