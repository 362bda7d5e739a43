"""onnxruntime without its telemetry, which sends events and leaves a data base in the home directory."""

import os
from types import ModuleType

FATAL = 4
"""The level of its log: whatever is wrong comes as an exception as well."""


def onnxruntime() -> ModuleType:
    """The library; to be called before anything else imports a part of it."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.set_default_logger_severity(FATAL)
    return onnxruntime
