"""A model file behind the page: what the command `seg serve` runs."""

import os
import sys
from pathlib import Path

from seglib.opening import current_settings, open_segmentation
from seglib.serve.application import Service
from seglib.serve.listening import run
from seglib.serve.uploads import Limits

UPLOADS = 32
"""Read at once, so that slow ones hold up nobody."""
WAITING = 8
"""Images that wait while one is predicted."""


def serve(model: Path, host: str, port: int, max_megabytes: int, timeout: float, threads: int = 0) -> None:
    """Serve a model of any format until SIGINT or SIGTERM; `timeout` in seconds.

    The masks are those of `seg predict`, with the settings of the current folder. Raises SegError where the model
    cannot be opened or takes no images, or the address cannot be had.
    """
    segmentation = open_segmentation(model, "auto", threads, settings=current_settings())
    service = Service(segmentation, model, Limits(max_megabytes, timeout, UPLOADS, WAITING), host)
    run(service.application(), host, port, timeout)
    if service.worker.places.taken:
        _leave()


def _leave() -> None:
    """End the process, though a prediction runs for which nobody waits any more: a thread cannot be ended."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
