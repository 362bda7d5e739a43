"""A loopback HTTP server of one file, with ranges and with the faults that servers on the web have."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer; every number counts bytes of the body."""

    status: int = 200
    cut: int | None = None
    """The connection closes after so many bytes."""
    stall: int | None = None
    """Nothing more comes after so many bytes, but the connection stays open."""
    announce: bool = True
    """Whether the length is announced; where it is not, the client cannot tell a cut from the end."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers that replace the server's own."""


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    path: str
    range: str | None
    if_range: str | None


@dataclass
class FileServer:
    """Answers every address with `content`; the first answers take their faults from `faults`."""

    content: bytes
    faults: list[Fault] = field(default_factory=list)
    ranges: bool = True
    etag: str | None = '"first"'
    pause: float = 0.0
    """Seconds between two blocks of the body."""
    requests: list[Request] = field(default_factory=list)
    address: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "data.zip") -> str:
        """The address of a path."""
        return f"{self.address}/{path}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one GET request."""
        asked, condition = handler.headers.get("Range"), handler.headers.get("If-Range")
        self.requests.append(Request(handler.path, asked, condition))
        fault = self.faults.pop(0) if self.faults else Fault()
        if fault.status != 200:
            handler.send_error(fault.status)
            return
        start = 0
        if asked and self.ranges and condition in (None, self.etag):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        self._send_headers(handler, fault, start)
        if start < len(self.content):
            self._send_body(handler, fault, self.content[start:])

    def _send_headers(self, handler: BaseHTTPRequestHandler, fault: Fault, start: int) -> None:
        length, headers = len(self.content), dict[str, str]()
        if self.etag:
            headers["ETag"] = self.etag
        if start >= length:
            handler.send_response(416)
            headers |= {"Content-Range": f"bytes */{length}", "Content-Length": "0"}
        else:
            handler.send_response(206 if start else 200)
            if start:
                headers["Content-Range"] = f"bytes {start}-{length - 1}/{length}"
            if fault.announce:
                headers["Content-Length"] = str(length - start)
        for name, value in (headers | fault.headers).items():
            handler.send_header(name, value)
        handler.end_headers()

    def _send_body(self, handler: BaseHTTPRequestHandler, fault: Fault, body: bytes) -> None:
        stop = min(len(body), *(number for number in (fault.cut, fault.stall, len(body)) if number is not None))
        for start in range(0, stop, 4096):
            handler.wfile.write(body[start : min(stop, start + 4096)])
            if self.pause:
                self.closing.wait(self.pause)
        handler.wfile.flush()
        if fault.stall is not None:
            self.closing.wait(60)


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up."""


@contextmanager
def serve(content: bytes, **options: Any) -> Iterator[FileServer]:
    """Serve a file until the block ends."""
    file = FileServer(content, **options)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file.answer(self)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with _QuietServer(("127.0.0.1", 0), Handler) as server:
        file.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield file
        finally:
            file.closing.set()
            server.shutdown()
            thread.join()
