"""How each variant of a model is made: written by a plug-in of `seglib.formats`, or converted from such a file."""

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from seglib import quantisation
from seglib.checkpoint import Card, Segmenter, load_checkpoint
from seglib.formats import onnx, openvino, program, tensorrt, torchscript
from seglib.sections.prune import NO_MODEL

TRAINED = "torch"
"""Name of the trained model, which all others are compared with."""
Convert = Callable[[Path, Path, Sequence[np.ndarray], Card], None]
"""(file of the plug-in, file to write, raw images for calibration [channels, *space], card)."""


@dataclass(frozen=True)
class Recipe:
    """How a variant is made."""

    format: ModuleType
    """The plug-in that writes the file, or the one to convert."""
    convert: Convert | None = None
    """None: the plug-in's file is the variant."""
    exact: bool = False
    """Whether it computes in float32 as the trained model does."""
    calibrated: bool = False
    """Whether the conversion looks at images."""
    on_gpu: bool = False
    """Whether it runs on a GPU only."""


RECIPES = {
    "onnx": Recipe(onnx, exact=True),
    "onnx_fp16": Recipe(onnx, quantisation.halve_onnx),
    "onnx_int8": Recipe(onnx, quantisation.quantise_onnx, calibrated=True),
    "openvino": Recipe(openvino, exact=True),
    "openvino_fp16": Recipe(openvino, quantisation.halve_openvino),
    "openvino_int8": Recipe(openvino, quantisation.quantise_openvino, calibrated=True),
    "torchscript": Recipe(torchscript, exact=True),
    "program": Recipe(program, exact=True),
    "tensorrt": Recipe(tensorrt, exact=True, on_gpu=True),
}


@dataclass(frozen=True)
class Origin:
    """A torch model that variants are made of."""

    file: Path
    segmenter: Segmenter
    card: Card
    prefix: str = ""
    """Of its variants' names."""


def read_origins(trained: Path, pruned: Path) -> dict[str, Origin]:
    """The trained model, and the pruned one unless its file stands for none: name → model.

    Raises SegError where one cannot be read.
    """
    found = {TRAINED: Origin(trained, *load_checkpoint(trained))}
    if pruned.read_bytes() != NO_MODEL:
        found["pruned"] = Origin(pruned, *load_checkpoint(pruned), "pruned_")
    return found


def unavailable(name: str, device: torch.device) -> str:
    """Why a variant cannot be made where the stage runs on this device; empty where it can."""
    if not RECIPES[name].on_gpu:
        return ""
    if device.type != "cuda":
        return "needs a GPU, and this stage runs without one"
    return "" if importlib.util.find_spec("tensorrt") else "needs the library tensorrt, which is not installed"


def make_variants(names: Sequence[str], origin: Origin, images: Sequence[np.ndarray], folder: Path) -> dict[str, Path]:
    """Write the variants of a model into a folder: name → file.

    A plain file that others are converted from is made once; it stays only where it is asked for. Raises
    SegError where a format cannot express the model.
    """
    files = {name: folder / f"{origin.prefix}{name}{RECIPES[name].format.SUFFIX}" for name in names}
    with tempfile.TemporaryDirectory() as scratch:
        for name in sorted(names, key=lambda name: RECIPES[name].convert is not None):
            recipe = RECIPES[name]
            if recipe.convert is None:
                recipe.format.write(files[name], origin.segmenter, origin.card)
            else:
                recipe.convert(_plain(recipe.format, origin, folder, Path(scratch)), files[name], images, origin.card)
    return files


def _plain(plugin: ModuleType, origin: Origin, folder: Path, scratch: Path) -> Path:
    """The plug-in's own file, from the folder where it stands there, else from scratch."""
    name = f"{origin.prefix}{plugin.__name__.rpartition('.')[2]}{plugin.SUFFIX}"
    for place in (folder, scratch):
        if (place / name).exists():
            return place / name
    plugin.write(scratch / name, origin.segmenter, origin.card)
    return scratch / name
