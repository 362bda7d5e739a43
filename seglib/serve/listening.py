"""The application on a socket, until a signal ends it."""

import asyncio
import math
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from seglib.errors import SegError
from seglib.serve.guard import is_loopback

CONNECTIONS = 256
"""Open at once; one more is answered with 503."""
SPEECHLESS = 10.0
"""Seconds within which a connection must have sent a request's headers, the first and the next after each answer."""
UNREAD = 60.0
"""Seconds within which a client must have taken an answer."""
PORTS = range(1 << 16)
END = (signal.SIGINT, signal.SIGTERM)


class Impatient(H11Protocol):
    """HTTP/1.1 that closes connections on which nobody asks for anything, or nobody reads the answers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Start to wait for the first request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)
        self._unread: asyncio.TimerHandle | None = None
        self.loop.call_later(SPEECHLESS, self._close_unless_asked, None)

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        answered = self.cycle
        super().on_response_complete()
        self.loop.call_later(SPEECHLESS, self._close_unless_asked, answered)

    def pause_writing(self) -> None:
        """Start to wait for the client to read."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read everything."""
        super().resume_writing()
        if self._unread:
            self._unread.cancel()

    def _close_unless_asked(self, answered: RequestResponseCycle | None) -> None:
        """Close where no request came after the one that is answered."""
        if self.cycle is answered:
            self.transport.close()


def run(application: Starlette, host: str, port: int, seconds: float) -> None:
    """Serve until SIGINT or SIGTERM; requests in work are answered before it returns, within `seconds`.

    Raises SegError where the address cannot be had.
    """
    listener = listen(host, port)
    if not is_loopback(host):
        print(
            f"warning: {host} is reached from other machines, and there is no password: whoever reaches it can use the "
            "model and this machine's time; where you do not trust them, leave --host out and come through `ssh -L`",
            file=sys.stderr,
        )
    server = build_server(application, seconds)
    with _quiet_end(server):
        print(f"open {address(listener)} in a browser; Ctrl+C ends it", flush=True)
        server.run([listener])


def listen(host: str, port: int) -> socket.socket:
    """Bind an address; port 0 takes a free one.

    Raises SegError where that fails.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not host or port not in PORTS:
        raise SegError(f"--host '{host}', --port {port}: give an address, and a port of 0 to 65535; 0 takes a free one")
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SegError(f"cannot listen on {host}, port {port} ({error}); choose another --host or --port") from None


def address(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, str(host))  # noqa: S104  (only named)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def build_server(application: Starlette, seconds: float) -> Server:
    """A server that says nothing but errors, and trusts no header on who asks; `seconds`: what its end may take."""
    options: dict[str, Any] = {"http": Impatient, "ws": "none", "proxy_headers": False, "server_header": False}
    logs: dict[str, Any] = {"log_config": None, "log_level": "error", "access_log": False}
    # uvicorn counts the connection that asks, and answers those below the limit
    limits: dict[str, Any] = {"limit_concurrency": CONNECTIONS + 1, "timeout_graceful_shutdown": math.ceil(seconds)}
    return Server(Config(application, lifespan="on", **limits, **options, **logs))


@contextmanager
def _quiet_end(server: Server) -> Iterator[None]:
    """A signal ends it before uvicorn looks for one, too; the one that uvicorn raises again at its end asks nothing."""

    def end(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, end) for number in END}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
