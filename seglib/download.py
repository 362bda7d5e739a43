"""Archives from the web: resumed where they broke off, checked, never half in place."""

import hashlib
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
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            if attempt == ATTEMPTS - 1:
                have = partial.stat().st_size if partial.exists() else 0
                raise SegError(
                    f"{url}: {_reason(error)} {ATTEMPTS} times; {have:,} bytes are kept, "
                    "and the next run goes on from there. Or take a mirror (data.url) or a copy (data.path)"
                ) from None
            time.sleep(PAUSE * 2**attempt)
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
    name = Path(unquote(urlsplit(url).path)).name
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
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return
        if answer.status_code >= 500:
            raise requests.ConnectionError(f"server error {answer.status_code}")
        if not answer.ok:
            raise SegError(f"{url}: the server answers {answer.status_code} {answer.reason}; check data.url")
        resumes = answer.status_code == requests.codes.partial_content
        _remember_tag(tag_file, answer)
        _append(answer, partial, have if resumes else 0)
    tag_file.unlink(missing_ok=True)


def _remember_tag(tag_file: Path, answer: requests.Response) -> None:
    tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
    if tag and not tag.startswith("W/"):
        tag_file.write_text(tag)


def _append(answer: requests.Response, partial: Path, have: int) -> None:
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length else None
    with (
        partial.open("ab" if have else "wb") as file,
        tqdm(desc=partial.stem, total=total, initial=have, unit="B", unit_scale=True, disable=None) as bar,
    ):
        for block in answer.iter_content(1 << 18):
            bar.update(file.write(block))
    size = partial.stat().st_size
    if total is not None and size < total:
        raise requests.ConnectionError(f"the connection closed after {size:,} of {total:,} bytes")


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "the server stalled"
    return f"the connection broke ({str(error)[:200]})"
