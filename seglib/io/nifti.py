"""NIfTI volumes in, through nibabel."""

import gzip
from importlib.resources.abc import Traversable

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError

from seglib.errors import SegError
from seglib.io.archive import read_bytes


def read_volume(file: Traversable) -> tuple[np.ndarray, tuple[float, ...]]:
    """Read a `.nii` or `.nii.gz` volume: voxels in the file's own dtype, and spacing in mm.

    Raises SegError where the file is unreadable.
    """
    content = read_bytes(file)
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        volume = nibabel.Nifti1Image.from_bytes(content)
        return np.asarray(volume.dataobj), tuple(float(side) for side in volume.header.get_zooms())
    except (OSError, EOFError, ValueError, ImageFileError) as error:
        raise SegError(f"{file}: not a readable NIfTI volume ({error}); fetch it again") from None
