"""`preprocess`: what the tensors in the cache look like, and where they are computed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from seglib.sections.pixels import Pixels


class Preprocess(Pixels):
    """Pixels of the cache, the number of its files, the bound of the store, and who computes."""

    shards: Annotated[int, Field(ge=1, le=4096)]
    """Files the cache is packed into; a changed image costs one of them."""
    store_limit_gb: Annotated[float, Field(ge=0)]
    """Bound of the store of ready shards in GB; the longest unused go first."""
    backend: Literal["threads", "dask"]
    """threads of this machine, or the workers of a dask scheduler that see the same files."""
    scheduler: str
    """The dask scheduler's address, such as tcp://head:8786."""

    @model_validator(mode="after")
    def _scheduler_is_named(self) -> Self:
        if self.backend == "dask" and not self.scheduler:
            raise ValueError("backend: dask needs preprocess.scheduler, such as tcp://head:8786")
        return self
