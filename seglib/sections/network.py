"""`model`: the network's head and padding, and what every architecture says of itself."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from seglib.config import Section
from seglib.sections.selection import Selection


class Model(Selection):
    """The selected architecture, and what surrounds it whichever it is."""

    head: Literal["auto", "softmax", "sigmoid"]
    """softmax: classes exclude each other; sigmoid: each for itself; auto: sigmoid where the data's overlap."""
    padding: bool
    """Whether images are padded to the multiple that the network needs, and its output cropped."""


@dataclass(frozen=True)
class Shape:
    """What a network is built for besides its own options."""

    dims: int
    """Spatial dimensions, 2 or 3."""
    channels: int
    """Of the image."""
    planes: int
    """Logits a pixel."""
    outputs: int = 1
    """Outputs while training; more than 1: deep supervision."""


class Network(Section):
    """Base of the options of an architecture."""

    DIMS: ClassVar[tuple[int, ...]] = (2,)
    """Numbers of spatial dimensions that it can be built for."""
    ANY_SIZE: ClassVar[bool] = True
    """Whether its operations, as a recorded graph, are the same for images of every size."""
    WIDTHS: ClassVar[str] = ""
    """The option from which the widths of all layers follow, a list, where pruning can follow them; else empty."""

    @property
    def divisor(self) -> int:
        """The multiple of pixels that each side must have."""
        return 1

    @property
    def outputs(self) -> int:
        """The most outputs it has for deep supervision; 1: it has none."""
        return 1

    def misfits(self, dims: int) -> list[str]:  # noqa: ARG002  (for those that name axes)
        """Options that do not fit images of `dims` axes, as `option: what is wrong`."""
        return []


ADDRESS = re.compile(r"https?://", re.IGNORECASE)
NO_WEIGHTS = b"none: every weight of the network starts random\n"
"""Content of the weight file that stands for none; DVC warns of empty files."""


def _path_or_address(weights: str) -> str:
    if "\0" in weights:
        raise ValueError("must not hold a NUL character")
    if weights and not (ADDRESS.match(weights) or Path(weights).is_absolute()):
        raise ValueError("must be an absolute path or an http(s) address, or empty")
    return weights


class EncoderNetwork(Network):
    """Base of the options of an architecture whose part `encoder` may start from published weights."""

    weights: Annotated[str, AfterValidator(_path_or_address)]
    """Absolute path or http(s) address of a weight file; empty: random weights."""
    sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
    """Digest of the weight file, so that another content counts as a change."""
    freeze: bool
    """Whether the encoder keeps the weights it starts with."""

    @model_validator(mode="after")
    def _digest_belongs_to_weights(self) -> Self:
        if bool(self.weights) != bool(self.sha256):
            raise ValueError("weights and sha256 belong together: set both (`sha256sum FILE` prints it) or none")
        return self
