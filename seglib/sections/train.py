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
    lr: Annotated[float, Field(gt=0, le=10)]
    seed: int
    precision: Literal["auto", "fp32", "bf16"]
    """auto takes bfloat16 autocast where the hardware has it."""
    workers: Annotated[int, Field(ge=0, le=256)]
    """Processes that prepare batches; the result does not depend on it."""
    deterministic: bool
    early_stopping: EarlyStopping
