"""Kaggle's protocol on loopback, as far as its client 2.2 uses it to log in and to download.

The API answers each request for a download with a redirect to another port, to an address that is signed
and expires: it may be read twice, once by the client and once by whoever the client gives it to.
"""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.server import FileServer, serve

USER, KEY, TOKEN = "someone", "SENTINEL-KEY-4f1d", "SENTINEL-TOKEN-9ab3"
SIGNATURE = "SENTINEL-SIGNATURE"
SECRETS = (KEY, TOKEN, SIGNATURE, "SENTINEL", base64.b64encode(f"{USER}:{KEY}".encode()).decode())
"""What may stand in no output and in no file but those in which the user put it."""
RULES = {"code": 403, "message": "You must accept this competition's rules before you'll be able to download files."}
DRIVER = """
import json, sys
from kagglesdk import kaggle_env
kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.LOCAL] = sys.argv[1]
from seglib import download
for name, value in json.loads(sys.argv[2]).items():
    setattr(download, name, value)
"""
"""Points the client at the server in argv[1], and sets the time-outs in argv[2]."""
STAGE = """
from seglib.stage import run_stage
from stages.download import main
run_stage("download", main)
"""
"""Runs the stage `download` of the project in the current folder."""
FROM_KAGGLE = '''"""A data set that comes from Kaggle."""

from seglib.io.sample import Kaggle

PUBLISHED = Kaggle("dataset", "someone/small")
'''
FETCH = """
from pathlib import Path
from seglib.io.sample import Kaggle
from seglib.kaggle_archive import ask, page, warn_of_readable_keys
source = Kaggle(*{source!r})
warn_of_readable_keys()
try:
    print(download.fetch(page(source), "", Path("data.zip.part"), lambda: ask(source)))
except Exception as error:
    chained = error
    while chained := chained.__cause__ or chained.__context__:
        request = getattr(chained, "request", None)
        print(repr(chained), vars(chained), request and (request.url, request.headers), file=sys.stderr)
    raise
"""
"""Fetches an archive without a project; tells whatever its exceptions are chained to."""
COMPETITION = ("competition", "carvana-image-masking-challenge")
HASTE = {"PAUSE": 0.0, "READ_TIMEOUT": 10.0, "BLOCK": 1 << 10}


@dataclass
class KaggleServer:
    """The API; `blob` serves the bytes."""

    blob: FileServer
    refusals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Status and body of the first answers to a request for a download."""
    stalls: list[str] = field(default_factory=list)
    """Addresses that are not answered, once for each time that they stand here."""
    opening: list[int] = field(default_factory=list)
    """Error statuses with which the blob answers the client's own first reads."""
    direct: bool = False
    """Whether the API sends the bytes itself instead of a redirect."""
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Method and content of every request."""
    given_away: list[str] = field(default_factory=list)
    """Credentials that came to the blob, where they have no business."""
    address: str = ""
    within: tuple[str, ...] = ()
    """Command that runs the client's process."""
    signed: list[int] = field(default_factory=list)
    """How often each signed address was read."""

    def asked(self, method: str) -> list[dict[str, Any]]:
        """What was sent to an API method."""
        return [content for name, content in self.requests if name == method]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one POST request."""
        method = handler.path.rpartition("/")[2]
        content = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.requests.append((method, content))
        authorization = handler.headers.get("Authorization", "")
        if not handler.path.startswith("/api/v1/"):
            _send(handler, 404, {"code": 404, "message": handler.path})
        elif method in self.stalls:
            self.stalls.remove(method)
            self.blob.closing.wait(60)
        elif not _is_known(authorization):
            _send(handler, 401, {"code": 401, "message": f"Unauthorized: {authorization}"})
        elif method == "IntrospectToken":
            _send(handler, 200, {"active": content["token"] == TOKEN, "username": USER})
        elif self.refusals:
            _send(handler, *self.refusals.pop(0))
        elif self.direct:
            self.blob.answer(handler)
        else:
            self._redirect(handler, method)

    def _redirect(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        self.signed.append(0)
        handler.send_response(302)
        handler.send_header("Location", self.blob.url(f"{method}/{len(self.signed) - 1}?X-Goog-Signature={SIGNATURE}"))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def answer_signed(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one GET request to the blob: the client's own with its beginning, the next one as asked."""
        self.given_away += filter(None, [handler.headers.get("Authorization")])
        place, _, query = handler.path.partition("?")
        number = int(place.rpartition("/")[2])
        self.signed[number] += 1
        if self.signed[number] > 2 or SIGNATURE not in query:
            _send(handler, 403, {"message": f"expired: {handler.path}"})
        elif self.signed[number] == 2:
            FileServer.answer(self.blob, handler)
        elif self.opening:
            handler.send_error(self.opening.pop(0))
        elif "blob" in self.stalls:
            self.stalls.remove("blob")
            self.blob.closing.wait(60)
        else:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(self.blob.content)))
            handler.end_headers()
            handler.wfile.write(self.blob.content[:1000])

    def run(self, code: str, home: Path, cwd: Path, haste: dict[str, float] | None = None, **env: str) -> "Done":
        """Run Python code with the client pointed here, at home in `home`, in a process of its own.

        `haste` sets constants of `seglib.download`.
        """
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("KAGGLE_", "XDG_", "VERBOSE"))}
        here = {"HOME": str(home), "KAGGLE_API_ENVIRONMENT": "LOCALHOST", "NO_PROXY": "127.0.0.1"}
        command = [sys.executable, "-c", DRIVER + code, self.address, json.dumps({**HASTE, **(haste or {})})]
        done = subprocess.run(
            [*self.within, *command],
            cwd=cwd, env={**kept, **here, **env}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def run_stage(self, project: Path, **env: str) -> "Done":
        """Run the stage `download` of a project, logged in unless `env` says otherwise."""
        home = project.parent / "home"
        home.mkdir(exist_ok=True)
        return self.run(STAGE, home, project, None, **{"KAGGLE_API_TOKEN": TOKEN, **env})


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int
    out: str
    err: str

    def check_refused(self, *parts: str) -> None:
        """It failed with one message that holds the parts, and told no secret."""
        assert self.code == 1
        message = self.err.rpartition("seglib.errors.SegError: ")[2]
        for part in parts:
            assert part in message
        self.check_silent()

    def check_silent(self) -> None:
        """It told no secret."""
        for secret in SECRETS:
            assert secret not in self.out + self.err


@dataclass
class User:
    """Somebody with a home, who fetches an archive in a folder."""

    server: KaggleServer
    home: Path
    folder: Path

    def fetch(
        self, source: tuple[str, str] = COMPETITION, before: str = "", haste: dict[str, float] | None = None, **env: str
    ) -> Done:
        """Fetch an archive into `partial`, after some other code has run."""
        return self.server.run(before + FETCH.format(source=source), self.home, self.folder, haste, **env)

    @property
    def partial(self) -> Path:
        """The file that is fetched."""
        return self.folder / "data.zip.part"

    def write(self, path: str, content: str, mode: int = 0o600) -> Path:
        """Write a file at home."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)
        return file


@contextmanager
def serve_kaggle(content: bytes, **options: Any) -> Iterator[KaggleServer]:
    """Serve an archive until the block ends; `options` are those of KaggleServer and its blob's faults."""
    with ExitStack() as stack:
        blob = stack.enter_context(serve(content, faults=options.pop("faults", [])))
        kaggle = KaggleServer(blob, **options)
        vars(blob)["answer"] = kaggle.answer_signed if not kaggle.direct else blob.answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kaggle.answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        vars(server)["handle_error"] = lambda *_: None
        kaggle.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield kaggle
        finally:
            blob.closing.set()
            server.shutdown()
            thread.join()


def _is_known(authorization: str) -> bool:
    basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
    return authorization in (f"Bearer {TOKEN}", f"Basic {basic}")


def _send(handler: BaseHTTPRequestHandler, status: int, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
