"""What stands before every request: who may ask, and what browsers may do with the answer."""

import ipaddress
import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANY_HOST = frozenset({"0.0.0.0", "::"})  # noqa: S104  (only compared with)
SAFE_METHODS = frozenset({"GET", "HEAD"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""W3C CSP Level 3; WHATWG Fetch and HTML."""
_log = logging.getLogger(__name__)


class Guard:
    """Refuses requests under a foreign name, or from another site's page, and hides what went wrong inside.

    A page whose own name is made to lead here (DNS rebinding) still sends that name as Host; one that posts across
    sites says so in Origin and Sec-Fetch-Site.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        """`host`: the address that the server listens on."""
        self.app, self.host = app, host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        try:
            await (refusal or self.app)(scope, receive, answer)
        except Exception:
            _log.exception("a request failed")
            if started:
                raise
            await failure(500, "the server failed on this request; its log tells more")(scope, receive, answer)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        asked = headers.get("host", "")
        if not self._is_ours(asked):
            return failure(421, f"this server does not answer to that name; {self._remedy()}")
        if method in SAFE_METHODS:
            return None
        origin = headers.get("origin")
        is_foreign = origin is not None and _netloc(origin) != asked
        if is_foreign or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return failure(403, "only this server's own page may post from a browser")
        return None

    def _remedy(self) -> str:
        if self.host in ANY_HOST:
            return "open it under this machine's IP address in numbers, or start it with --host and the name"
        return "open it under the address that it was started with"

    def _is_ours(self, asked: str) -> bool:
        name = _hostname(asked)
        return name in LOOPBACK or name == self.host or (self.host in ANY_HOST and _is_address(name))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server on that address."""
    return host in LOOPBACK or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def failure(status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem as all endpoints tell it."""
    return JSONResponse({"error": error}, status, headers)


def _is_address(name: str) -> bool:
    """Whether it is a number, which no name server can redirect."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _hostname(asked: str) -> str:
    try:
        return urlsplit(f"//{asked}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
