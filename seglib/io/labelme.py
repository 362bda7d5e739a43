"""LabelMe's annotation files, and their shapes drawn as LabelMe's own export draws them.

Polygons, rectangles, circles and the like are filled with their outline; lines are 10 pixels wide, points
discs of 5 pixels' radius; a mask is pasted where its box says. Later shapes lie over earlier ones.
"""

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from seglib.errors import SegError, listing
from seglib.io.archive import read_bytes
from seglib.io.coco import FARTHEST, Pixels
from seglib.io.images import decode_image, read_image

LINE_WIDTH = 10
POINT_RADIUS = 5
FEWEST_POINTS = {
    "polygon": 3,
    "rectangle": 2,
    "oriented_rectangle": 4,
    "circle": 2,
    "line": 2,
    "linestrip": 2,
    "point": 1,
    "mask": 2,
}


class Shape(BaseModel):
    """One shape, in pixels from the upper left corner."""

    model_config = ConfigDict(allow_inf_nan=False)

    label: str
    points: list[tuple[float, float]]
    shape_type: str | None = None
    mask: str | None = None

    @property
    def kind(self) -> str:
        """Its type; LabelMe's first versions knew polygons only."""
        return self.shape_type or "polygon"


class Annotation(BaseModel):
    """What a file says of its image; the image itself is read from the file anew when called for."""

    shapes: list[Shape]
    imagePath: str = ""  # noqa: N815  (the files' own key)
    imageHeight: Pixels | None = None  # noqa: N815  (the files' own key)
    imageWidth: Pixels | None = None  # noqa: N815  (the files' own key)


@dataclass(frozen=True)
class Picture:
    """An annotation file with its image, which lies in another file or in the file itself."""

    file: Traversable
    annotation: Annotation
    linked: Traversable | None

    def image(self) -> np.ndarray:
        """The image, upright as its EXIF data says: [height, width, 3]."""
        if self.linked:
            return read_image(self.linked)
        return decode_image(_decoded(_read(self.file)["imageData"], self.file), 3, self.file)

    def mask(self, values: Mapping[str, int]) -> np.ndarray:
        """The mask, uint8 [height, width], with the value of each label."""
        said = self.annotation
        height, width = (said.imageHeight, said.imageWidth)
        if not height or not width:
            height, width = self.image().shape[:2]
        return draw_shapes(said.shapes, (height, width), values, self.file)

    @property
    def files(self) -> list[Traversable]:
        """What image and mask are read from."""
        return [self.file, *([self.linked] if self.linked else [])]


def read_annotation(file: Traversable) -> tuple[Annotation, bool] | None:
    """Read an annotation file, and whether it holds its image; None where it is other JSON.

    Raises SegError where it is damaged, or has shapes that cannot be drawn.
    """
    content = _read(file)
    if not isinstance(content, dict) or "shapes" not in content:
        return None
    try:
        annotation = Annotation.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SegError(f"{file}: is no LabelMe annotation ({place}: {first['msg']}); save it again") from None
    for shape in annotation.shapes:
        _check(shape, file)
    return annotation, bool(content.get("imageData"))


def draw_shapes(
    shapes: Sequence[Shape], extent: tuple[int, int], values: Mapping[str, int], where: object
) -> np.ndarray:
    """Draw the shapes in their order, each with the value of its label: uint8 [height, width].

    Raises SegError that names labels without value.
    """
    if unknown := sorted({shape.label for shape in shapes} - values.keys()):
        raise SegError(
            f"{where}: labels that are not declared: {listing(map(repr, unknown))}; add them to labels.txt, or rename"
        )
    mask = np.zeros(extent, np.uint8)
    for shape in shapes:
        mask[_covered(shape, extent, where)] = values[shape.label]
    return mask


def _covered(shape: Shape, extent: tuple[int, int], where: object) -> np.ndarray:
    from PIL import Image, ImageDraw

    if shape.kind == "mask":
        return _pasted(shape, extent, where)
    canvas = Image.new("1", (extent[1], extent[0]))
    _draw(ImageDraw.Draw(canvas), shape)
    return np.asarray(canvas)


def _draw(pen: Any, shape: Shape) -> None:
    points = shape.points
    if shape.kind in ("polygon", "oriented_rectangle"):
        pen.polygon(points, outline=1, fill=1)
    elif shape.kind == "rectangle":
        (left, right), (top, bottom) = (sorted(side) for side in zip(*points, strict=True))
        pen.rectangle((left, top, right, bottom), outline=1, fill=1)
    elif shape.kind in ("line", "linestrip"):
        pen.line(points, fill=1, width=LINE_WIDTH)
    else:
        (x, y), radius = points[0], POINT_RADIUS if shape.kind == "point" else math.dist(*points)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=1, fill=1)


def _pasted(shape: Shape, extent: tuple[int, int], where: object) -> np.ndarray:
    stored = decode_image(_decoded(shape.mask, where), 1, f"{where}: the mask of '{shape.label}'")[:, :, 0] > 0
    left, top = (int(place) for place in shape.points[0])
    (height, width), covered = stored.shape, np.zeros(extent, bool)
    if min(left, top) < 0 or top + height > extent[0] or left + width > extent[1]:
        raise SegError(
            f"{where}: the mask of '{shape.label}' ({width}×{height} at {left}, {top}) reaches out of the image "
            f"({extent[1]}×{extent[0]}); draw it again"
        )
    covered[top : top + height, left : left + width] = stored
    return covered


def _check(shape: Shape, file: Traversable) -> None:
    fewest = FEWEST_POINTS.get(shape.kind)
    if fewest is None:
        raise SegError(
            f"{file}: '{shape.label}' is a shape of the type {shape.kind}, which covers no pixels that are known; "
            f"known: {listing(FEWEST_POINTS, 20)}"
        )
    exact = shape.kind in ("rectangle", "circle", "line", "mask", "point", "oriented_rectangle")
    if len(shape.points) < fewest or (exact and len(shape.points) != fewest):
        raise SegError(f"{file}: '{shape.label}' is a {shape.kind} of {len(shape.points)} points; draw it again")
    if any(abs(place) > FARTHEST for point in shape.points for place in point):
        raise SegError(f"{file}: '{shape.label}' lies far outside its image; draw it again")
    if shape.kind == "mask" and not shape.mask:
        raise SegError(f"{file}: '{shape.label}' is a mask without pixels; draw it again")


def _read(file: Traversable) -> Any:
    try:
        return json.loads(read_bytes(file))
    except (ValueError, RecursionError) as error:
        raise SegError(f"{file}: is no JSON ({error}); save it again") from None


def _decoded(text: object, where: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=False)
    except (binascii.Error, ValueError) as error:
        raise SegError(f"{where}: its embedded image is damaged ({error}); save it again") from None
