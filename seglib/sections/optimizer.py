"""`optimizer`: AdamW's options; its learning rate is `train.lr`."""

from typing import Annotated, Literal

from pydantic import Field

from seglib.config import Section


class Optimizer(Section):
    """Options of the optimiser."""

    name: Literal["adamw"]
    weight_decay: Annotated[float, Field(ge=0)]
