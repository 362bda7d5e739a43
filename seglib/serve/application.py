"""The web application: a page, `/predict`, `/health` and `/metrics`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from seglib.errors import SegError
from seglib.inputs import Pixels, read_bytes
from seglib.io.encoding import as_png
from seglib.io.picture_headers import read_picture_header
from seglib.report.numbers import modality
from seglib.report.page import FOLDER as REPORT
from seglib.segmentation import Segmentation
from seglib.serve.answers import describe, describe_model
from seglib.serve.guard import Guard, failure, is_loopback
from seglib.serve.meters import Metered, Meters
from seglib.serve.uploads import Early, Limits, discard, read_upload, suffix_of
from seglib.serve.worker import Place, Places, Worker

FOLDER = Path(__file__).parent
FILES = {"/look.css": REPORT / "style.css", "/page.css": FOLDER / "page.css", "/page.js": FOLDER / "page.js"}
"""What the page loads."""
MOST_PIXELS = 1 << 26
"""Of an image, such as 8192 × 8192: what is larger is refused by its header."""
HUNG_UP = 499
"""Status that is only counted: the client is gone (as nginx numbers it)."""


class Service:
    """The endpoints of one model."""

    def __init__(self, segmentation: Segmentation, model: Path, limits: Limits, host: str) -> None:
        """`model`: its file; `host`: the address that the server listens on.

        Raises SegError where the model does not take images.
        """
        card = segmentation.card
        if card.dims != 2:
            raise SegError(f"{model} segments volumes, and this page takes images only; use `seg predict`")
        self.segmentation, self.card, self.limits, self.host = segmentation, card, limits, host
        self.file, self.model = model, describe_model(model.name, card)
        self.worker = Worker(limits.waiting)
        self.uploads = Places(limits.uploads, "uploads are under way")
        self.meters = Meters(lambda: self.worker.places.taken)

    def application(self) -> Starlette:
        """All routes behind their guard."""
        routes = [
            Route("/", self.page),
            *(Route(path, self.asset) for path in FILES),
            Route("/predict", self.predict, methods=["POST"]),
            Route("/health", self.health),
            Route("/metrics", self.metrics),
        ]
        paths = frozenset(route.path for route in routes)
        return Starlette(
            routes=routes,
            middleware=[Middleware(Metered, self.meters, paths), Middleware(Guard, self.host)],
            exception_handlers={HTTPException: _refuse, SegError: _unfit, ClientDisconnect: _gone},
            lifespan=self._lifespan,
        )

    async def page(self, _: Request) -> Response:
        """The page."""
        environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
        values = {
            "model": self.model,
            "kind": modality(self.model["modality"]),
            "limits": self.limits,
            "is_local": is_loopback(self.host),
        }
        text = environment.get_template("page.html.j2").render(values)
        return Response(text, media_type="text/html")

    async def asset(self, request: Request) -> Response:
        """Its style or its script."""
        return FileResponse(FILES[request.scope["path"]])

    async def health(self, _: Request) -> Response:
        """Whether images can be predicted; the model is loaded before the first request."""
        return JSONResponse({"status": "ready", "model": self.model, "queue": self.worker.places.taken})

    async def metrics(self, _: Request) -> Response:
        """The meters."""
        return Response(self.meters.text(), media_type=CONTENT_TYPE_LATEST)

    async def predict(self, request: Request) -> Response:
        """The body's image, segmented: JSON, or with `?only=mask` the mask as PNG."""
        try:
            only = _only(request)
            self.worker.places.check()
            with self.uploads:
                content = await read_upload(request, self.limits)
        except Early:
            await discard(request)
            raise
        job = partial(self._segment, f"image{suffix_of(content)}", content, only)
        with Place(self.worker) as place:
            return await place.run(job, request, self.limits.seconds)

    def _segment(self, name: str, content: bytes, only: str) -> Response:
        with self.meters.predictions.time():
            _check_extent(name, content)
            read = read_bytes(name, content, self.card)
            mask = self._mask(name, read)
            if only:
                return Response(as_png(mask), media_type="image/png")
            return JSONResponse({"model": self.model, **describe(read.image, mask, self.card)})

    def _mask(self, name: str, read: Pixels) -> np.ndarray:
        try:
            return self.segmentation.segment(read.image, read.spacing).mask
        except SegError as error:
            raise SegError(f"{name}: {error}".replace(str(self.file), self.file.name)) from None

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self.worker.close()


def _check_extent(name: str, content: bytes) -> None:
    header = read_picture_header(content, name)
    if header.height * header.width > MOST_PIXELS:
        extent = f"{header.width:,}×{header.height:,}"
        raise HTTPException(413, f"{name}: has {extent} pixels, more than {MOST_PIXELS:,}; give it to `seg predict`")


def _only(request: Request) -> str:
    only = request.query_params.get("only", "")
    if only not in ("", "mask"):
        raise Early(400, "only: nothing but mask is known; leave it out for JSON")
    return only


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return failure(error.status_code, error.detail, dict(error.headers or {}))


async def _unfit(_: Request, error: Exception) -> Response:
    return failure(422, str(error))


async def _gone(_: Request, error: Exception) -> Response:
    assert isinstance(error, ClientDisconnect)
    return Response(status_code=HUNG_UP)
