"""Where the voxels of a file lie, kept to write a mask of them; through nibabel."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError

from seglib.errors import SegError
from seglib.io.volumes import Arrangement

SUFFIXES = (".nii.gz", ".nii")


@dataclass(frozen=True, eq=False)
class Placement:
    """How a volume, arranged as Volume is, goes back into the order of its file."""

    order: tuple[int, int, int]
    """The file's axis that each arranged axis was."""
    flips: tuple[bool, ...]
    """Of the arranged axes."""
    affine: np.ndarray
    """From indices in the file's order to millimetres to the right, front and head."""

    @classmethod
    def of(cls, arrangement: Arrangement) -> "Placement":
        """Undo an arrangement."""
        shape, order = arrangement.grid.shape, arrangement.order
        there = np.zeros((4, 4))
        there[3, 3] = 1
        for new, (axis, flip) in enumerate(zip(order, arrangement.flips, strict=True)):
            there[new, axis] = -1 if flip else 1
            there[new, 3] = shape[new] - 1 if flip else 0
        depth, height, width = order
        return cls((depth, height, width), arrangement.flips, arrangement.grid.affine @ there)

    def stored(self, volume: np.ndarray) -> np.ndarray:
        """Bring [depth, height, width] into the file's order."""
        upright = volume[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]
        return np.ascontiguousarray(upright.transpose(np.argsort(self.order)))


def write_volume(path: Path, mask: np.ndarray, place: Placement) -> None:
    """Write [depth, height, width] as NIfTI whose voxels lie where those of the input lie, in the same order.

    The type of the values is kept; equal content gives equal bytes. Raises SegError where the name does not
    end in .nii or .nii.gz, or NIfTI cannot hold such a volume.
    """
    if not path.name.lower().endswith(SUFFIXES):
        raise SegError(f"{path}: a volume is written as NIfTI; choose a name that ends in {' or '.join(SUFFIXES)}")
    try:
        image = nibabel.Nifti1Image(place.stored(mask), place.affine)
    except HeaderDataError as error:
        raise SegError(f"{path}: cannot be written as NIfTI ({error}); crop or resample the volume") from None
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    path.write_bytes(gzip.compress(content, 6, mtime=0) if path.name.lower().endswith(".gz") else content)
