"""`preprocess`: what the tensors in the cache look like."""

from typing import Annotated

from pydantic import Field

from seglib.sections.image_size import ImageSize


class Preprocess(ImageSize):
    """Image size of the cache, the number of files in it, and the bound of the store."""

    shards: Annotated[int, Field(ge=1, le=4096)]
    """Files the cache is packed into; a changed image costs one of them."""
    store_limit_gb: Annotated[float, Field(ge=0)]
    """Bound of the store of ready shards in GB; the longest unused go first."""
