"""`train`: the training loop's knobs."""

from typing import Annotated, Literal

from pydantic import Field

from seglib.config import Section
from seglib.sections.compute import Compute

Count = Annotated[int, Field(ge=1)]


class EarlyStopping(Section):
    """When to stop before the last epoch."""

    patience: Annotated[int, Field(ge=0)]
    """Epochs without a gain before training stops; 0 never stops early."""
    min_delta: Annotated[float, Field(ge=0)]
    """Smallest rise of the validation Dice that counts as a gain."""


class Train(Compute):
    """The training loop."""

    epochs: Count
    batch_size: Count
    """Images in a step, of all devices together."""
    accumulate: Count
    """Parts in which a step's images go through the network."""
    lr: Annotated[float, Field(gt=0, le=10)]
    seed: int
    devices: Count
    """On each node."""
    nodes: Count
    strategy: Literal["auto", "ddp", "fsdp"]
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    """auto takes bfloat16 autocast where the hardware has it."""
    compile: bool
    channels_last: bool
    workers: Annotated[int, Field(ge=0, le=256)]
    """Processes that prepare batches; the result does not depend on it."""
    deterministic: bool
    foreground_crops: Annotated[float, Field(ge=0, le=1)]
    """Share of the crops that are laid around a foreground pixel."""
    small_targets: Annotated[float, Field(ge=0, le=1)]
    """Share of an epoch's images that are drawn from the quarter with the least foreground."""
    early_stopping: EarlyStopping
