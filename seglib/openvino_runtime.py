"""OpenVINO without its telemetry, which sends a message at import and leaves files in the home directory."""

import sys
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
