"""`scheduler`: which schedule the learning rate follows, after which warm-up."""

from typing import Annotated

from pydantic import Field

from seglib.sections.selection import Selection


class Scheduler(Selection):
    """The selected schedule, and the warm-up before it."""

    warmup: Annotated[float, Field(ge=0, lt=1)]
    """Share of all steps in which the learning rate rises to `train.lr`."""
