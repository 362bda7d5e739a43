"""`data`: which data set, and where it comes from."""

from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints, model_validator

from seglib.config import Section
from seglib.paths import PUBLISHED


def _is_web_address(url: str) -> str:
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        raise ValueError("must be an http(s) address, or empty; a local file goes into data.path")
    return url


def _is_absolute(path: str) -> str:
    if "\0" in path:
        raise ValueError("must not hold a NUL character")
    if path == str(PUBLISHED) or Path(path).is_absolute():
        return path
    if not path:
        raise ValueError(f"must be {PUBLISHED} (nothing local) or an absolute path")
    full = Path(path).expanduser() if path.startswith("~/") else Path(path)
    raise ValueError(f"must be absolute; write {full.resolve()}")


class Place(Section):
    """Which data set, and the user's own copy of it; `data.<name>` holds the options of the data set."""

    plugin_values: ClassVar[tuple[type, ...]] = (dict, type(None))
    name: str
    path: Annotated[str, AfterValidator(_is_absolute)]

    @property
    def local(self) -> Path | None:
        """The user's own archive or folder; None where the published data is taken."""
        return None if self.path == str(PUBLISHED) else Path(self.path)


class Data(Place):
    """Where the data comes from."""

    url: Annotated[str, AfterValidator(_is_web_address)]
    sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.url and self.local:
            raise ValueError(f"set either data.url or data.path (found both); {PUBLISHED} unsets path")
        if self.sha256 and not self.url:
            raise ValueError("data.sha256 belongs to data.url, which is empty; set both or none")
        return self
