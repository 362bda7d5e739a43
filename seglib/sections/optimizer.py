"""`optimizer`: how weights follow their gradients; the learning rate is `train.lr`."""

from typing import Annotated, Literal

from pydantic import Field

from seglib.config import Section


class Optimizer(Section):
    """Options of the optimiser."""

    name: Literal["adam", "adamw", "sgd"]
    weight_decay: Annotated[float, Field(ge=0)]
    decay_all: bool
    """false: norms and biases do not decay."""
    momentum: Annotated[float, Field(ge=0, lt=1)]
    """Of sgd, which is Nesterov's."""
    encoder_lr: Annotated[float, Field(ge=0, le=100)]
    """Multiple of the learning rate that the weights of the encoder get."""
    clip_norm: Annotated[float, Field(ge=0)]
    """Longest gradient, all weights together; 0 sets no limit."""
    ema: Annotated[float, Field(ge=0, lt=1)]
    """Decay of the running average of the weights, which is validated and kept; 0 keeps the weights."""
