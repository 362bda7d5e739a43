"""What training and evaluation compute on: two keys of `train`."""

from typing import Annotated, Literal

from pydantic import Field

from seglib.config import Section


class Compute(Section):
    """Device and CPU threads."""

    device: Literal["auto", "cpu", "cuda"]
    threads: Annotated[int, Field(ge=1, le=1024)]
    """CPU threads; another number gives other last digits, so it is fixed here."""
