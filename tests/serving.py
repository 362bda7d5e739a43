"""The web application on a free port, for tests that ask it over HTTP."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from starlette.applications import Starlette

from seglib.checkpoint import Card
from seglib.serve.application import Service
from seglib.serve.listening import build_server, listen
from seglib.serve.uploads import Limits
from tests.model_cards import card

LIMITS = Limits(megabytes=1, seconds=20, uploads=32, waiting=8)
MODEL = Path("/private/models/best.pt")
JSON_TEXT = "application/json"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must say that it is JSON."""
        assert self.headers["content-type"] == JSON_TEXT, self
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Asks the server on a port of this machine."""

    port: int

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; underscores in names of headers are hyphens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """Fetch a path."""
        return self.ask("GET", path, **headers)

    def post(self, body: Any, path: str = "/predict", **headers: str) -> Answer:
        """Send a body."""
        return self.ask("POST", path, body, **headers)

    def meter(self, name: str) -> float:
        """A value of `/metrics`."""
        lines = dict(line.rsplit(" ", 1) for line in self.get("/metrics").body.decode().splitlines() if line[0] != "#")
        return float(lines[name])


class Bright:
    """Segments bright pixels without a network; `before` is called before each."""

    def __init__(self, before: Callable[[], Any] = lambda: None, own: Card | None = None) -> None:
        self.card = own or card()
        self.before = before

    def segment(self, image: np.ndarray, _: tuple[float, ...] | None) -> Any:
        """Mask values of class 1 where the image is brighter than 127."""
        self.before()
        return SimpleNamespace(mask=(image.mean(2) > 127).astype(np.uint8), probabilities=None)


@contextmanager
def serving(segmentation: Any, limits: Limits = LIMITS, host: str = "127.0.0.1") -> Iterator[Client]:
    """Serve a model until the block ends."""
    with running(Service(segmentation, MODEL, limits, host).application(), limits.seconds) as client:
        yield client


@contextmanager
def running(application: Starlette, seconds: float = 20) -> Iterator[Client]:
    """Run an application until the block ends."""
    listener = listen("127.0.0.1", 0)
    server = build_server(application, seconds)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield Client(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()


def picture(height: int = 40, width: int = 48) -> np.ndarray:
    """A bright square in the dark, RGB: 12 × 12 pixels from row 4, column 8."""
    pixels = np.full((height, width, 3), 20, np.uint8)
    pixels[4:16, 8:20] = 230
    return pixels


def encoded(suffix: str = ".png", pixels: np.ndarray | None = None) -> bytes:
    """The picture as a file."""
    done, content = cv2.imencode(suffix, picture() if pixels is None else pixels)
    assert done
    return content.tobytes()


def decoded(content: bytes) -> np.ndarray:
    """The pixels of an image file: grey, RGB or RGBA."""
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return found if found.ndim == 2 else found[:, :, [2, 1, 0, 3][: found.shape[2]]]
