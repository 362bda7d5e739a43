"""`prune`: how much of the trained network is removed, and how the rest is trained on."""

from typing import Annotated

from pydantic import Field

from seglib.config import Section

NO_MODEL = b"none: nothing is pruned\n"
"""Content of the model file that stands for none; DVC warns of empty files."""


class Prune(Section):
    """Options of the pruning; whatever is not here is as in `train`."""

    ratio: Annotated[float, Field(ge=0, lt=1)]
    """Share of the feature maps that every level loses; 0: the stage is off."""
    epochs: Annotated[int, Field(ge=1)]
    """Of fine-tuning."""
    lr: Annotated[float, Field(gt=0, le=10)]
    """Of fine-tuning."""
