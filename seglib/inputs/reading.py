"""Pixels of one input, in the arrangement and type that training samples of the model have."""

import math
from collections.abc import Sequence
from importlib.resources.abc import Traversable

import numpy as np

from seglib.checkpoint import Card
from seglib.errors import SegError
from seglib.inputs.items import Pixels
from seglib.io import archive, scans
from seglib.io.dicom import group_series
from seglib.io.dicom_headers import Header
from seglib.io.images import BandsError, decode_image
from seglib.io.picture_headers import read_picture_header
from seglib.io.placement import Placement

MOST_PIXELS = 1 << 28
"""Of an image, such as 16,384 × 16,384: what is larger is refused by its header, before memory is taken for it."""
MOST_VOXELS = 1 << 30
"""Of a volume with all its channels, such as 1024 × 1024 × 1024."""
SCANNED = ("ct", "mri", "pet")
BYTES = "uint8"


def read_picture(file: Traversable, card: Card) -> Pixels:
    """Read an image file, turned as its EXIF orientation says; without its alpha channel.

    Colours become grey for a model of one channel, grey is repeated for one of three. Raises SegError where it is
    damaged, too large, animated, or has other channels.
    """
    return read_bytes(str(file), archive.read_bytes(file), card)


def read_bytes(name: str, content: bytes, card: Card) -> Pixels:
    """Read the bytes of an image file as `read_picture` does; `name` stands in messages."""
    if card.dims != 2:
        raise SegError(f"{name}: is an image, but the model was trained on volumes")
    header = read_picture_header(content, name)
    if header.height * header.width > MOST_PIXELS:
        raise SegError(
            f"{name}: its header says {header.width:,}×{header.height:,} pixels; at most {MOST_PIXELS:,} are read; "
            "cut it into parts"
        )
    if header.several:
        raise SegError(f"{name}: holds several pictures, as frames or pages; save the one that is meant")
    try:
        image = decode_image(content, channels := card.dataset["channels"], name)
    except BandsError as error:
        raise _other_channels(name, error.found, channels) from None
    return Pixels(_usual(image, name, card), None, None)


def read_volume(file: Traversable, card: Card) -> Pixels:
    """Read a NIfTI, NRRD or MetaImage file, scaled as its header says; one of two axes is an image.

    Raises SegError where it is damaged, too large, or has other channels or axes.
    """
    header = scans.read_header(file)
    if header.flat and card.dims != 2:
        raise SegError(f"{file}: has two axes, but the model was trained on volumes")
    if header.channels != card.dataset["channels"]:
        raise _other_channels(file, header.channels, card.dataset["channels"])
    _check_voxels(file, (*header.grid.shape, header.channels))
    measured = card.dataset["modality"] in SCANNED and BYTES not in card.types
    image = _usual(scans.image_reader(file, measured=measured)(), file, card)
    if header.flat:
        return Pixels(image[0], header.grid.spacing[1:], None)
    return Pixels(image, header.grid.spacing, Placement.of(header.arrangement))


def read_series(headers: Sequence[Header], card: Card) -> Pixels:
    """Read the slices of a DICOM series in the units of their rescale slope, such as Hounsfield units.

    Raises SegError where slices are missing, double or misfitting, hold several frames, or cannot be decoded.
    """
    (series,) = group_series(headers)
    if card.dataset["channels"] != 1:
        raise _other_channels(series, 1, card.dataset["channels"])
    stack = series.stack
    _check_voxels(series, stack.shape)
    image = _usual(stack.read_image(), series, card)
    return Pixels(image, stack.arrangement.grid.spacing, Placement.of(stack.arrangement))


def _check_voxels(where: object, shape: tuple[int, ...]) -> None:
    if math.prod(shape) > MOST_VOXELS:
        raise SegError(
            f"{where}: its header says {'×'.join(f'{side:,}' for side in shape)} values; "
            f"at most {MOST_VOXELS:,} are read; crop it, or resample it"
        )


def _other_channels(where: object, found: int, wanted: int) -> SegError:
    return SegError(
        f"{where}: has {found} channel{'s' * (found > 1)}, but the model was trained on {wanted}; "
        "convert it, or choose the model that was trained on such images"
    )


def _usual(image: np.ndarray, where: object, card: Card) -> np.ndarray:
    """The image, whose values are finite, and mean what they meant in training.

    Limits bring all types of scans but bytes to one scale; a picture of a scan was windowed by someone.
    """
    found, known = str(image.dtype), card.types
    measured = card.dataset["modality"] in SCANNED
    alike = (found == BYTES) in {one == BYTES for one in known} if measured else found in known
    if not alike:
        raise SegError(
            f"{where}: holds {found} values, but the model was trained on {' and '.join(known)}; convert it: the same "
            "value must mean the same everywhere"
        )
    if image.dtype == np.float32 and not (known := np.isfinite(image)).all():
        raise SegError(
            f"{where}: {np.count_nonzero(~known):,} of {image.size:,} values are not finite (NaN or infinite); "
            "replace them by a number, such as that of air"
        )
    return image
