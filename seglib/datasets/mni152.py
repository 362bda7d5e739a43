"""MNI152: the ICBM 2009a T1 template with its grey- and white-matter maps, from the nilearn wheel.

Real MRI with no download; one averaged brain, so good for a first run and no proof of generalisation.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from importlib.resources.abc import Traversable
from typing import Annotated

import numpy as np
from pydantic import Field

from seglib.config import Section
from seglib.errors import SegError
from seglib.io.nifti import read_volume
from seglib.io.sample import Embedded, Sample, SegClass, Spec, file_fingerprint

_FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
T1, GREY, WHITE = (_FILE.format(kind) for kind in ("t1", "gm", "wm"))

PUBLISHED = Embedded(
    distribution="nilearn",
    files={
        f"nilearn/datasets/data/{T1}": "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
        f"nilearn/datasets/data/{GREY}": "97a5ca69bd24db37a9cb7b32525e1733a209af904129bf1cd36da06d24243bed",
        f"nilearn/datasets/data/{WHITE}": "382d92812de4744f9c86c7a0e4f680dc317a0a50e4da1f0153618a6798c7b7db",
    },
)


class Params(Section):
    """Options of the data set."""

    threshold: Annotated[float, Field(gt=0, lt=1)]
    """Tissue probability above which a voxel belongs to the tissue; the larger of two wins."""
    min_share: Annotated[float, Field(ge=0, lt=1)]
    """Slices in which grey or white matter covers a smaller share of the pixels are left out."""
    slab: Annotated[int, Field(ge=1)]
    """Neighbouring axial slices (1 mm each) in a group."""
    gap: Annotated[int, Field(ge=0)]
    """Slices dropped between two slabs, so that neighbours never sit on both sides of the split."""


def spec(_root: Traversable, _params: Params) -> Spec:
    """Grey and white matter on one T1 channel."""
    return Spec(
        classes=(
            SegClass("background", (0, 0, 0)),
            SegClass("grey_matter", (230, 159, 0)),
            SegClass("white_matter", (86, 180, 233)),
        ),
        channels=1,
        modality="mri",
        licence="MNI: use, copy, modify and distribute freely with the copyright notice",
        citation="Fonov et al., Unbiased average age-appropriate atlases, NeuroImage 54 (2011)",
    )


def samples(root: Traversable, params: Params) -> list[Sample]:
    """Axial slices with both tissues in them, grouped into slabs."""
    template = _Template(root, params.threshold)
    period = params.slab + params.gap
    return [
        Sample(
            id=f"axial-{z:03d}",
            group=f"slab-{z // period:02d}",
            image=partial(template.image, z),
            mask=partial(template.mask, z),
            fingerprint=lambda: template.fingerprint,
            spacing=(template.spacing[1], template.spacing[0]),
        )
        for z in range(template.classes.shape[2])
        if z % period < params.slab and template.smallest_share(z) > params.min_share
    ]


@dataclass
class _Template:
    root: Traversable
    threshold: float

    @cached_property
    def fingerprint(self) -> str:
        return file_fingerprint(*(self.root / name for name in (T1, GREY, WHITE)))

    @cached_property
    def _t1(self) -> tuple[np.ndarray, tuple[float, ...]]:
        return read_volume(self.root / T1)

    @property
    def spacing(self) -> tuple[float, ...]:
        return self._t1[1]

    @cached_property
    def classes(self) -> np.ndarray:
        """Class indices, uint8 [x, y, z]; the maps hold probabilities × 255."""
        grey, white = (read_volume(self.root / name)[0] for name in (GREY, WHITE))
        if not grey.shape == white.shape == self._t1[0].shape:
            raise SegError(f"{self.root}: shapes differ: T1 {self._t1[0].shape}, maps {grey.shape}, {white.shape}")
        tissue = np.where(grey >= white, 1, 2).astype(np.uint8)
        return np.where(np.maximum(grey, white) > self.threshold * 255, tissue, 0).astype(np.uint8)

    def smallest_share(self, z: int) -> float:
        """The share of a slice's pixels that the rarer of both tissues covers."""
        return min(float((self.classes[:, :, z] == tissue).mean()) for tissue in (1, 2))

    def image(self, z: int) -> np.ndarray:
        return _upright(self._t1[0][:, :, z])[:, :, None]

    def mask(self, z: int) -> np.ndarray:
        return _upright(self.classes[:, :, z])


def _upright(plane: np.ndarray) -> np.ndarray:
    """[x, y] with y to the front → rows from front to back, as radiologists look at it."""
    return np.ascontiguousarray(np.rot90(plane))
