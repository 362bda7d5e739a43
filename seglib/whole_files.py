"""Files that appear whole or not at all."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file beside `path` to fill, which then takes that name, in place of a link that has it.

    The file's own name cannot be foreseen, so that no link waits there; it ends as `path` does. The folder need not be
    there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".new-{secrets.token_hex(8)}{''.join(path.suffixes[-2:])}")
    new.touch(exist_ok=False)
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write bytes as `whole` does."""
    with whole(path) as new:
        new.write_bytes(content)
