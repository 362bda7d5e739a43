"""Archives from the web: resumed where they broke off, checked, never half in place."""

import hashlib
import re
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from tqdm import tqdm

from seglib.errors import SegError

ATTEMPTS = 5
PAUSE = 1.0
"""Seconds before the second attempt; doubled before each further one."""
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 30.0
"""Seconds without a connection, and without a single byte."""
BLOCK = 1 << 14
"""Bytes written at a time; a connection that breaks loses fewer than these."""
RETRIED = (requests.ConnectionError, requests.Timeout, requests.HTTPError, requests.exceptions.ChunkedEncodingError)


def fetch(url: str, sha256: str, partial: Path) -> str:
    """Download `url` into the file `partial`, going on where an earlier try broke off.

    Returns the sha256 found. A broken download leaves `partial` for the next try; a complete one with
    another digest is deleted. Raises SegError where the server refuses, stalls or sends other bytes.
    """
    partial.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(ATTEMPTS):
        try:
            _receive(url, partial)
            break
        except RETRIED as error:
            if attempt == ATTEMPTS - 1:
                have = partial.stat().st_size if partial.exists() else 0
                raise SegError(
                    f"{url}: {_reason(error)}, {ATTEMPTS} times; {have:,} bytes are kept, "
                    "and the next run goes on from there. Or take a mirror (data.url) or a copy (data.path)"
                ) from None
            time.sleep(PAUSE * 2**attempt)
        except requests.RequestException as error:
            raise SegError(f"{url}: cannot be fetched ({error}); check data.url") from None
    found = digest(partial)
    if sha256 and found != sha256:
        length = partial.stat().st_size
        partial.unlink()
        raise SegError(
            f"{url}: sha256 is {found} ({length:,} bytes), expected {sha256}; the file was discarded. "
            "Check data.url and data.sha256"
        )
    return found


def file_name(url: str) -> str:
    """The archive's name as its address ends; only a plain name, so that it stays in its folder."""
    name = re.sub(r"[^\w.-]", "_", Path(unquote(urlsplit(url).path)).name)[-100:]
    return name if name.strip(".") else "archive.zip"


def digest(file: Path) -> str:
    """The sha256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _receive(url: str, partial: Path) -> None:
    tag_file = partial.with_suffix(".etag")
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have and tag_file.exists():
        headers |= {"Range": f"bytes={have}-", "If-Range": tag_file.read_text()}
    with requests.get(url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)) as answer:
        status, part = answer.status_code, answer.headers.get("Content-Range", "")
        complete = status == requests.codes.requested_range_not_satisfiable and part in ("", f"bytes */{have}")
        if not complete:
            _check_answer(answer, partial, have)
            if status != requests.codes.partial_content:
                partial.write_bytes(b"")  # before the tag: a new tag must never stand beside old bytes
            _remember_tag(tag_file, answer)
            _append(answer, partial)
    tag_file.unlink(missing_ok=True)


def _check_answer(answer: requests.Response, partial: Path, have: int) -> None:
    reply = f"the server answers {answer.status_code} {answer.reason}"
    if answer.status_code >= 500:
        raise requests.HTTPError(reply)
    part = answer.headers.get("Content-Range", f"bytes {have}-")
    if not part.startswith(f"bytes {have}-"):
        partial.unlink(missing_ok=True)
        raise requests.HTTPError(f"{reply}, '{part}', when asked for the bytes from {have:,}")
    if not answer.ok:
        raise SegError(f"{answer.url}: {reply}; check data.url")


def _remember_tag(tag_file: Path, answer: requests.Response) -> None:
    tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "W/"
    if tag.startswith("W/"):
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
    return f"the connection broke ({str(error)[:200]})"
