"""One prediction at a time, in a thread of its own, with a bounded queue before it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Any, Self

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from seglib.serve.uploads import Early

RETRY_AFTER = "2"
"""Seconds after which a client that was sent away may come again."""


class Places:
    """So many requests at once, and no more."""

    def __init__(self, number: int, what: str) -> None:
        """`what` is said of them to who is sent away."""
        self.taken = 0
        self._number, self._what, self._lock = number, what, Lock()

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def check(self) -> None:
        """Raise Early 503 where none is free."""
        if self.taken >= self._number:
            raise Early(503, f"{self.taken} {self._what} already; try again", {"Retry-After": RETRY_AFTER})

    def take(self) -> None:
        """Take one.

        Raises Early 503 where none is free.
        """
        with self._lock:
            self.check()
            self.taken += 1

    def give_back(self, _: object = None) -> None:
        """Free one."""
        with self._lock:
            self.taken -= 1


class Worker:
    """Runs jobs one by one, while `waiting` others may hold a place."""

    def __init__(self, waiting: int) -> None:
        self.places = Places(waiting + 1, "requests wait")
        """That of the running job among them."""
        self._thread = ThreadPoolExecutor(1, "segmentation")

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        """Run a job when its turn comes."""
        return self._thread.submit(job)

    def close(self) -> None:
        """Let the running job end, and no other begin."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class Place:
    """A place in the queue until the end of the job, even if nobody waits for it any more."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._job: Future[Any] | None = None

    def __enter__(self) -> Self:
        self._worker.places.take()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._job is None:
            self._worker.places.give_back()
            return
        self._job.cancel()
        self._job.add_done_callback(self._worker.places.give_back)

    async def run(self, job: Callable[[], Any], request: Request, seconds: float) -> Any:
        """What the job gives.

        Raises what it raises, HTTPException 504 where it is not done in time, and ClientDisconnect where the client
        hangs up before.
        """
        self._job = self._worker.submit(job)
        work, gone = asyncio.wrap_future(self._job), asyncio.ensure_future(_hang_up(request))
        try:
            await asyncio.wait({work, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if gone.done():
                raise ClientDisconnect
            raise HTTPException(504, f"no prediction within {seconds:g} s; send a smaller image, or allow more time")
        finally:
            gone.cancel()
            work.cancel()


async def _hang_up(request: Request) -> None:
    """Wait until the client does."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
