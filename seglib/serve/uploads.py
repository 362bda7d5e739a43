"""A request's body as the bytes of an image file, within limits."""

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MEGABYTE = 1 << 20
PATIENCE = 2.0
"""Seconds for which what is left of a refused upload is read, so that its sender comes to read the answer."""
KINDS = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"II+\0": ".tif",
    b"MM\0+": ".tif",
}
"""First bytes of an image file → its suffix."""


@dataclass(frozen=True)
class Limits:
    """What a single client may cost."""

    megabytes: int
    """Of 2**20 bytes, that an upload may have."""
    seconds: float
    """For the upload, and again for the turn and the prediction."""
    uploads: int
    """Read at once; one more is sent away."""
    waiting: int
    """Images that wait while another is predicted; one more is sent away."""


class Early(HTTPException):
    """A refusal that does not depend on the body, which may not have been read yet."""


async def read_upload(request: Request, limits: Limits) -> bytes:
    """Read the whole body.

    Raises HTTPException: 413 where it is too long, whatever its header says, 408 where it comes too slowly; and
    ClientDisconnect where the client hangs up.
    """
    try:
        async with asyncio.timeout(limits.seconds):
            return await _read(request, limits)
    except TimeoutError:
        raise HTTPException(408, f"the upload took longer than {limits.seconds:g} s; send a smaller file") from None


async def discard(request: Request) -> None:
    """Read on for a moment: a connection that closes on unread bytes is reset, and the answer lost with it.

    A client that waits for leave to send (RFC 9110, 10.1.1) never gets it.
    """
    if "expect" in request.headers:
        return
    try:
        async with asyncio.timeout(PATIENCE):
            while (await request.receive()).get("more_body", False):
                pass
    except TimeoutError:
        return


def suffix_of(content: bytes) -> str:
    """The suffix that the content asks for, whatever the sender calls it.

    Raises HTTPException 415 where it is none of the kinds of images that are read.
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ".webp"
    found = next((suffix for start, suffix in KINDS.items() if content.startswith(start)), None)
    if found:
        return found
    raise HTTPException(
        415,
        f"{'not a PNG, JPEG, TIFF, BMP, GIF or WebP image' if content else 'empty'}; send the file itself as the body, "
        "not a form, as `curl --data-binary @FILE` does; volumes are for `seg predict`",
    )


async def _read(request: Request, limits: Limits) -> bytes:
    content, most, more = bytearray(), limits.megabytes * MEGABYTE, True
    refusal = f"the upload has more than {limits.megabytes} MB; send a smaller file"
    if _announced(request) > most:
        raise Early(413, refusal)
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        content += message.get("body", b"")
        more = message.get("more_body", False)
        if len(content) > most:
            raise (Early if more else HTTPException)(413, refusal)
    return bytes(content)


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0
