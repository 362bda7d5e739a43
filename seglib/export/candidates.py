"""The models that are compared: the trained one, the pruned one where there is one, and the variants of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from seglib.deployed import open_model
from seglib.export.variants import RECIPES, Origin, make_variants
from seglib.formats import openvino
from seglib.inference import Predictor
from seglib.sections.predict import Predict


@dataclass(frozen=True)
class Candidate:
    """A model as it would be used."""

    predictor: Predictor
    file: Path
    origin: str
    """Name of the torch model that it was made of; its own name for such a model."""
    exact: bool = False
    """Whether it computes as its origin does."""

    @property
    def bytes(self) -> int:
        """Of its file, with OpenVINO's weights beside it."""
        return file_bytes(self.file)


def file_bytes(file: Path) -> int:
    """Size of a model file; of OpenVINO's two together."""
    beside = [file.with_suffix(".bin")] if file.suffix == openvino.SUFFIX else []
    return sum(part.stat().st_size for part in (file, *beside))


@dataclass(frozen=True)
class Opener:
    """How models are opened, the same for all."""

    settings: Predict
    device: torch.device
    """Of torch models, and of formats that run on a GPU only; all others run on the CPU."""
    threads: int

    def open(self, file: Path, origin: str, *, exact: bool = False, on_device: bool = True) -> Candidate:
        """Open a model file; raises SegError where it cannot be read."""
        device = self.device if on_device else torch.device("cpu")
        model, card = open_model(file, device, self.threads)
        return Candidate(Predictor([model], card, self.settings, device), file, origin, exact)


def make_candidates(
    origins: Mapping[str, Origin], names: Sequence[str], images: Sequence[np.ndarray], folder: Path, opener: Opener
) -> dict[str, Candidate]:
    """Make every variant of every origin in the folder, and open it; origins come first, under their names.

    Raises SegError where a format cannot express the model.
    """
    found = {name: opener.open(origin.file, name) for name, origin in origins.items()}
    for of, origin in origins.items():
        for name, file in make_variants(names, origin, images, folder).items():
            recipe = RECIPES[name]
            found[origin.prefix + name] = opener.open(file, of, exact=recipe.exact, on_device=recipe.on_gpu)
    return found
