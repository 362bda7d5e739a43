"""The tensor cache: `shard-NNN.pt` files, each a mapping from sample id to its tensors."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from seglib.errors import SegError

Tensors = dict[str, Tensor]
"""`image`: [channels, *space] in the data's own type; `mask`: uint8 [*space]."""


def shard_of(sample_id: str, shards: int) -> int:
    """The shard that holds a sample; it follows from the id alone."""
    digest = hashlib.sha256(sample_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % shards


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"shard-{number:03d}.pt"


def pack_shard(samples: Mapping[str, Tensors]) -> bytes:
    """Serialise samples to the bytes of a shard; equal content gives equal bytes."""
    buffer = io.BytesIO()
    torch.save({key: dict(sorted(samples[key].items())) for key in sorted(samples)}, buffer)
    return buffer.getvalue()


def open_cache(folder: Path) -> dict[str, Tensors]:
    """Memory-map every shard of the cache: sample id → tensors, nothing read until used.

    Raises SegError where a shard is damaged.
    """
    samples: dict[str, Tensors] = {}
    for file in sorted(folder.glob("shard-*.pt")):
        try:
            samples |= torch.load(file, map_location="cpu", mmap=True, weights_only=True)
        except (RuntimeError, OSError) as error:
            raise SegError(f"{file}: damaged shard ({error}); run `dvc repro -f preprocess`") from None
    return samples
