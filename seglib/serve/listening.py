"""The application on a socket, until a signal ends it."""

import asyncio
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from seglib.errors import SegError
from seglib.serve.guard import is_loopback

CONNECTIONS = 256
"""Open at once; one more is answered with 503."""
SPEECHLESS = 10.0
"""Seconds within which a connection must have sent its first request's headers."""
PORTS = range(1 << 16)
END = (signal.SIGINT, signal.SIGTERM)


class Impatient(H11Protocol):
    """HTTP/1.1 that closes connections on which nobody asks for anything."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Start to wait for the first request."""
        super().connection_made(transport)
        self.loop.call_later(SPEECHLESS, self._close_unless_asked)

    def _close_unless_asked(self) -> None:
        if self.cycle is None:
            self.transport.close()


def run(application: Starlette, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; requests in work are answered before it returns.

    Raises SegError where the address cannot be had.
    """
    listener = listen(host, port)
    if not is_loopback(host):
        print(
            f"warning: {host} is reached from other machines, and there is no password: whoever reaches it can use the "
            "model and this machine's time; where you do not trust them, leave --host out and come through `ssh -L`",
            file=sys.stderr,
        )
    print(f"open {address(listener)} in a browser; Ctrl+C ends it", flush=True)
    with _quiet_end():
        build_server(application).run([listener])


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


def build_server(application: Starlette) -> Server:
    """A server that says nothing but errors, and trusts no header on who asks."""
    options: dict[str, Any] = {"http": Impatient, "ws": "none", "proxy_headers": False, "server_header": False}
    logs: dict[str, Any] = {"log_config": None, "log_level": "error", "access_log": False}
    return Server(Config(application, limit_concurrency=CONNECTIONS, lifespan="on", **options, **logs))


@contextmanager
def _quiet_end() -> Iterator[None]:
    """Uvicorn raises the signal that ended it again when it is done; that one asks for nothing more."""
    before = {number: signal.signal(number, lambda *_: None) for number in END}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
