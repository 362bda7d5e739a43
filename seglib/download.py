"""Archives from the web: resumed where they broke off, checked, never half in place."""

import hashlib
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import requests
from tqdm import tqdm

from seglib.errors import SegError
from seglib.io.archive import DAMAGE, open_source
from seglib.paths import store

ATTEMPTS = 5
PAUSE = 1.0
"""Seconds before the second attempt; doubled before each further one."""
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 30.0
"""Seconds without a connection, and without a single byte."""
BLOCK = 1 << 14
"""Bytes written at a time; a connection that breaks loses fewer than these."""
NO_TAG = "W/"
"""How a tag starts that does not vouch for equal bytes."""
RETRIED = (requests.ConnectionError, requests.Timeout, requests.HTTPError, requests.exceptions.ChunkedEncodingError)


Ask = Callable[[], requests.PreparedRequest]
"""Gives the request that the bytes answer."""


class Keys(NamedTuple):
    """The parameters that messages tell to check: the address, its digest, and where one's own copy is named."""

    url: str
    sha256: str
    path: str


DATA = Keys("data.url", "data.sha256", "data.path")


def fetch(url: str, sha256: str, partial: Path, ask: Ask | None = None, keys: Keys = DATA) -> str:
    """Download `url` into the file `partial`, going on where an earlier try broke off.

    Where the bytes lie at an address that is given out for one try and must not be shown, `ask` asks for it
    before each, and `url` is only its name in messages. Returns the sha256 found. A broken download leaves
    `partial` for the next try; a complete one with another digest is deleted. Raises SegError where the
    server refuses, stalls or sends other bytes, or the disk is full.
    """
    partial.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(ATTEMPTS):
        broken = _try(url, partial, ask, keys)
        if not broken:
            break
        if attempt == ATTEMPTS - 1:
            have = partial.stat().st_size if partial.exists() else 0
            raise SegError(
                f"{url}: {broken}, {ATTEMPTS} times; {have:,} bytes are kept, "
                f"and the next run goes on from there. Or take a mirror ({keys.url}) or a copy ({keys.path})"
            )
        time.sleep(PAUSE * 2**attempt)
    found = digest(partial)
    if sha256 and found != sha256:
        length = partial.stat().st_size
        partial.unlink()
        raise SegError(
            f"{url}: sha256 is {found} ({length:,} bytes), expected {sha256}; the file was discarded. "
            f"Check {keys.url} and {keys.sha256}"
        )
    return found


def partial_file(url: str, name: str) -> Path:
    """The file in the store in which the download of a file of this name grows."""
    partial = store() / "downloads" / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{name}.part"
    partial.parent.mkdir(parents=True, exist_ok=True)
    return partial


def file_name(url: str) -> str:
    """The archive's name as its address ends; only a plain name, so that it stays in its folder."""
    name = re.sub(r"[^\w.-]", "_", Path(unquote(urlsplit(url).path)).name)[-100:]
    return name if name.strip(".") else "archive.zip"


def digest(file: Path) -> str:
    """The sha256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def check_archive(file: Path) -> None:
    """Open an archive and, of a zip archive, read every entry.

    Raises SegError where it is none, or does not hold the bytes that were packed.
    """
    open_source(file)
    if not zipfile.is_zipfile(file):
        return
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except DAMAGE as error:
        raise SegError(f"{file}: an entry cannot be unpacked ({error})") from None
    if damaged:
        raise SegError(f"{file}: the content of '{damaged}' is not what was packed (its CRC-32 differs)")


@contextmanager
def room_for(url: str, file: Path) -> Iterator[None]:
    """Say how much room there is where `file` cannot be written; what was written stays."""
    try:
        yield
    except requests.RequestException:
        raise
    except OSError as error:
        have = file.stat().st_size if file.exists() else 0
        folder = file.parent.resolve()
        raise SegError(
            f"{url}: cannot be written ({error.strerror or error}); {shutil.disk_usage(folder).free:,} bytes are free "
            f"in {folder}, {have:,} bytes of the file are kept; make room, and the next run goes on from there"
        ) from None


def without_query(text: str) -> str:
    """The text without the queries of the addresses in it, which may hold signatures."""
    return re.sub(r"\?[^\s'\")]+", "?…", text)


def _try(url: str, partial: Path, ask: Ask | None, keys: Keys) -> str:
    """Receive the file, or its rest; returns why another try may help, nothing where none is needed.

    The exceptions of `requests` hold the address that must not be shown: none is passed on, nor chained.
    """
    try:
        with room_for(url, partial):
            _receive(url, partial, ask, keys)
    except RETRIED as error:
        return _reason(error)
    except requests.RequestException as error:
        problem = SegError(f"{url}: cannot be fetched ({without_query(str(error))}); {_advice(ask, keys)}")
    else:
        return ""
    raise problem


def _receive(url: str, partial: Path, ask: Ask | None, keys: Keys) -> None:
    tag_file = partial.with_suffix(".etag")
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have and tag_file.exists():
        headers |= {"Range": f"bytes={have}-", "If-Range": tag_file.read_text()}
    with requests.Session() as session, _send(session, url, ask, headers) as answer:
        status, part = answer.status_code, answer.headers.get("Content-Range", "")
        complete = status == requests.codes.requested_range_not_satisfiable and part in ("", f"bytes */{have}")
        if not complete:
            _check_answer(answer, partial, have)
            if not answer.ok:
                raise SegError(f"{url}: {_reply(answer)}; {_advice(ask, keys)}")
            if status != requests.codes.partial_content:
                partial.write_bytes(b"")  # before the tag: a new tag must never stand beside old bytes
            _remember_tag(tag_file, answer)
            _append(answer, partial)
    tag_file.unlink(missing_ok=True)


def _send(session: requests.Session, url: str, ask: Ask | None, headers: dict[str, str]) -> requests.Response:
    request = ask() if ask else session.prepare_request(requests.Request("GET", url))
    request.headers.update(headers)
    settings = session.merge_environment_settings(request.url or url, {}, stream=True, verify=None, cert=None)
    return session.send(request, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), **settings)


def _check_answer(answer: requests.Response, partial: Path, have: int) -> None:
    if answer.status_code >= 500:
        raise requests.HTTPError(_reply(answer))
    part = answer.headers.get("Content-Range", f"bytes {have}-")
    if not part.startswith(f"bytes {have}-"):
        partial.unlink(missing_ok=True)
        raise requests.HTTPError(f"{_reply(answer)}, '{part}', when asked for the bytes from {have:,}")
    tag_file = partial.with_suffix(".etag")
    if answer.status_code != requests.codes.partial_content:
        return
    if not tag_file.exists():
        raise requests.HTTPError(f"{_reply(answer)} although the whole file was asked for")
    if _tag(answer) not in (NO_TAG, tag_file.read_text()):
        partial.unlink(missing_ok=True)
        raise requests.HTTPError(f"{_reply(answer)} of another file than before")


def _reply(answer: requests.Response) -> str:
    return f"the server answers {answer.status_code} {answer.reason}"


def _tag(answer: requests.Response) -> str:
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified") or NO_TAG


def _remember_tag(tag_file: Path, answer: requests.Response) -> None:
    tag = _tag(answer)
    if tag.startswith(NO_TAG):
        tag_file.unlink(missing_ok=True)
    else:
        tag_file.write_text(tag)


def _append(answer: requests.Response, partial: Path) -> None:
    have, length = partial.stat().st_size, answer.headers.get("Content-Length")
    total = have + int(length) if length else None
    with (
        partial.open("ab") as file,
        tqdm(desc=partial.stem, total=total, initial=have, unit="B", unit_scale=True, disable=None) as bar,
    ):
        for block in answer.iter_content(BLOCK):
            bar.update(file.write(block))
    size = partial.stat().st_size
    if total is not None and size < total:
        raise requests.ConnectionError(f"the connection closed after {size:,} of {total:,} bytes")


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError):
        return str(error)
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "the server stalled"
    return f"the connection broke ({without_query(str(error))[:200]})"


def _advice(ask: Ask | None, keys: Keys) -> str:
    return f"try again later, or take a copy ({keys.path})" if ask else f"check {keys.url}"
