"""What is written of each image: its mask, and on request an overlay and its probabilities."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from seglib.checkpoint import Card
from seglib.errors import SegError
from seglib.inputs import Pixels, write_volume
from seglib.inputs.names import Names
from seglib.intensity import Intensity
from seglib.io.images import write_png
from seglib.io.palette import palette_png
from seglib.io.planes import class_planes
from seglib.io.resize import resize_image, resize_mask
from seglib.overlays import Palette, coloured, displayable, shown_slice
from seglib.predict.files import inside, refuse_existing, write_with
from seglib.segmentation import Segmented

CASES, FAILED = "cases.csv", "failed.csv"
MASKS, OVERLAYS, PROBABILITIES = FOLDERS = ("masks", "overlays", "probabilities")
PICTURE, VOLUME, ARRAYS = ".png", ".nii.gz", ".npz"
LARGEST = 4096
"""Pixels of an overlay's longest side."""


class Outputs:
    """Files below a folder, which no name of an input leads out of.

    `masks/NAME.png` holds class indices and shows the classes' colours; of a volume `masks/NAME.nii.gz` lies on the
    input's grid. Where classes overlap each has its own, `masks/CLASS/NAME.png`, which is 1 where the class is: the
    layout that `data.name: folder` reads. `overlays/NAME.png` shows of a volume the slice with most foreground, and is
    made smaller than 4096 pixels. `probabilities/NAME.npz` holds `probabilities`, float32 [planes, height, width], and
    `classes`, the planes' names; of a volume there is a `probabilities/CLASS/NAME.nii.gz` for each.
    """

    def __init__(self, root: Path, card: Card, intensity: Intensity, *, overlay: bool, probabilities: bool) -> None:
        """Write an overlay of each image, and its `probabilities`, only where these are asked for."""
        self.root, self.card, self.intensity = root, card, intensity
        self.overlay, self.probabilities = overlay, probabilities
        self._palette = Palette(card.colours, card.overlapping)
        names = Names()
        self._folders = [names.give(name.replace("/", "_"), "") for name in card.classes]

    def check(self, names: Sequence[str], *, force: bool) -> None:
        """Look at every place before anything is predicted.

        Raises SegError where a file would lie outside of the folder, or is there already without `force`.
        """
        if self.root.exists() and not self.root.is_dir():
            raise SegError(f"{self.root}: is no folder; choose another --out")
        places = [CASES, FAILED, *(place for name in names for place in self._places(name))]
        found = inside(self.root, *places)
        if not force:
            refuse_existing(found)

    def write(self, name: str, pixels: Pixels, found: Segmented) -> None:
        """Write all files of an image.

        Raises SegError where one cannot be written.
        """
        for folder, mask, colours in self._layers(found.mask):
            if pixels.place:
                self._file(f"{folder}/{name}{VOLUME}", partial(write_volume, mask=mask, place=pixels.place))
            else:
                self._file(f"{folder}/{name}{PICTURE}", partial(_write_palette, mask=mask, colours=colours))
        if self.overlay:
            picture = self._overlay(pixels.image, found.mask)
            self._file(f"{OVERLAYS}/{name}{PICTURE}", partial(write_png, pixels=picture))
        if found.probabilities is None:
            return
        if not pixels.place:
            write = partial(np.savez, probabilities=found.probabilities, classes=self._planes(self.card.classes))
            self._file(f"{PROBABILITIES}/{name}{ARRAYS}", write)
            return
        for folder, plane in zip(self._planes(self._folders), found.probabilities, strict=True):
            write = partial(write_volume, mask=plane, place=pixels.place)
            self._file(f"{PROBABILITIES}/{folder}/{name}{VOLUME}", write)

    def _file(self, place: str, write: Callable[[Path], object]) -> None:
        write_with(inside(self.root, place)[0], write)

    def _places(self, name: str) -> Iterator[str]:
        """Where a file of that name may be written, be it an image or a volume."""
        folders = [f"{MASKS}/{each}" for each in self._folders[1:]] if self.card.overlapping else [MASKS]
        yield from (f"{folder}/{name}{suffix}" for folder in folders for suffix in (PICTURE, VOLUME))
        if self.overlay:
            yield f"{OVERLAYS}/{name}{PICTURE}"
        if self.probabilities:
            yield f"{PROBABILITIES}/{name}{ARRAYS}"
            yield from (f"{PROBABILITIES}/{each}/{name}{VOLUME}" for each in self._planes(self._folders))

    def _layers(self, mask: np.ndarray) -> Iterator[tuple[str, np.ndarray, Sequence[tuple[int, int, int]]]]:
        """Folder, values and their colours of each mask that is written."""
        nothing, *colours = self.card.colours
        if not self.card.overlapping:
            yield MASKS, mask, self.card.colours
            return
        _, *planes = class_planes(mask, len(self.card.classes), overlapping=True)
        for folder, plane, colour in zip(self._folders[1:], planes, colours, strict=True):
            yield f"{MASKS}/{folder}", plane.astype(np.uint8), [nothing, colour]

    def _planes(self, classes: list[str]) -> list[str]:
        """Those of the classes that have a plane of probabilities."""
        return classes[-self.card.head.planes :]

    def _overlay(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        limits = self.intensity.limits_of(image)
        image, mask, _ = shown_slice(image, mask, mask)
        scale = min(1, LARGEST / max(mask.shape))
        extent = tuple(max(1, round(side * scale)) for side in mask.shape)
        seen = self.intensity.apply(resize_image(image, extent), limits)
        return coloured(displayable(seen), resize_mask(mask, extent), self._palette)


def _write_palette(path: Path, mask: np.ndarray, colours: Sequence[tuple[int, int, int]]) -> None:
    path.write_bytes(palette_png(mask, colours))
