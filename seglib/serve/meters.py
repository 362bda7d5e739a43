"""What is counted and timed, in the text form of Prometheus."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
"""Upper ends of the histograms' buckets."""


class Meters:
    """The meters of one server."""

    def __init__(self, queue: Callable[[], int]) -> None:
        """`queue` tells how many predictions wait or run."""
        self._all = CollectorRegistry()
        self.requests = Counter("seg_requests", "Answered requests", ("path", "status"), registry=self._all)
        self.seconds = Histogram(
            "seg_request_seconds", "Time of a request", ("path",), buckets=SECONDS, registry=self._all
        )
        self.in_flight = Gauge("seg_requests_in_flight", "Requests not yet answered", registry=self._all)
        self.predictions = Histogram(
            "seg_prediction_seconds",
            "Time of reading, predicting and drawing an image",
            buckets=SECONDS,
            registry=self._all,
        )
        Gauge("seg_queue", "Predictions that wait or run", registry=self._all).set_function(queue)

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self._all)

    @contextmanager
    def request(self, path: str) -> Iterator[list[int]]:
        """Time a request; its status goes into the list."""
        start, status = perf_counter(), list[int]()
        with self.in_flight.track_inprogress():
            try:
                yield status
            finally:
                self.seconds.labels(path).observe(perf_counter() - start)
                self.requests.labels(path, *status or [500]).inc()


class Metered:
    """Counts every request; paths that are not known count together."""

    def __init__(self, app: ASGIApp, meters: Meters, paths: frozenset[str]) -> None:
        self.app, self.meters, self.paths = app, meters, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.meters.request(scope["path"] if scope["path"] in self.paths else "other") as status:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status.append(message["status"])
                await send(message)

            await self.app(scope, receive, answer)
