"""A model file behind the page: what the command `seg serve` runs."""

from pathlib import Path

from seglib.opening import current_settings, open_segmentation
from seglib.serve.application import Service
from seglib.serve.listening import run
from seglib.serve.uploads import Limits

WAITING = 8
"""Requests that wait while one is predicted."""


def serve(model: Path, host: str, port: int, max_megabytes: int, timeout: float, threads: int = 0) -> None:
    """Serve a model of any format until SIGINT or SIGTERM; `timeout` in seconds.

    The masks are those of `seg predict`, with the settings of the current folder. Raises SegError where the model
    cannot be opened or takes no images, or the address cannot be had.
    """
    segmentation = open_segmentation(model, "auto", threads, settings=current_settings())
    limits = Limits(max_megabytes, timeout, WAITING)
    run(Service(segmentation, model, limits, host).application(), host, port)
