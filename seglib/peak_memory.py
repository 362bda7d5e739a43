"""How much memory this process has held."""

import resource
import sys
from pathlib import Path


def peak_megabytes() -> float:
    """The most main memory that this process has held.

    On Linux that of the program alone: `ru_maxrss` begins with what the parent process holds when it starts this one.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
