"""COCO annotation files: instances as polygons and run-length masks, through pycocotools.

Overlapping instances are drawn from the largest to the smallest, so that the smaller one is seen; a
crowd is ignored where no single instance lies.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import Annotated, Any, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seglib.errors import SegError, listing
from seglib.io.archive import read_bytes
from seglib.io.sample import IGNORE

FARTHEST = 1e5
"""Pixels from the corner beyond which a point is damage; the library would fill the memory with such a line."""
Polygons = list[list[float]]
Pixels = Annotated[int, Field(ge=1, le=65535)]
"""Height or width of an image."""


class RunLengths(BaseModel):
    """A mask as the lengths of its runs, column by column; a text where they are compressed."""

    size: tuple[int, int]
    counts: list[int] | str


class Instance(BaseModel):
    """One object of an image, or a crowd of them."""

    model_config = ConfigDict(allow_inf_nan=False)

    id: int | str = 0
    image_id: int | str
    category_id: int
    segmentation: Polygons | RunLengths = []
    iscrowd: int = 0


class Picture(BaseModel):
    """An image as the file names it."""

    id: int | str
    file_name: str
    height: Pixels
    width: Pixels


class Category(BaseModel):
    """A class."""

    id: int
    name: str
    supercategory: str | None = None


class _Content(BaseModel):
    images: list[Picture]
    annotations: list[Instance]
    categories: list[Category]


@dataclass(frozen=True)
class Annotations:
    """One annotation file."""

    file: Traversable
    pictures: Sequence[Picture]
    categories: Sequence[Category]
    instances: Mapping[int | str, Sequence[Instance]] = field(repr=False)
    """Image id → its instances."""


def read_annotations(file: Traversable) -> Annotations | None:
    """Read an annotation file; None where it is other JSON.

    Raises SegError where it is damaged, or an instance has no outline or no image.
    """
    try:
        content = json.loads(read_bytes(file))
    except (ValueError, RecursionError) as error:
        raise SegError(f"{file}: is no JSON ({error}); export it again") from None
    if not isinstance(content, dict) or not {"images", "annotations", "categories"} <= content.keys():
        return None
    try:
        found = _Content.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise SegError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}; export it again") from None
    return _checked(file, found)


def draw_instances(
    instances: Sequence[Instance], extent: tuple[int, int], indices: Mapping[int, int], where: object
) -> np.ndarray:
    """Draw the instances with the class index of their category: uint8 [height, width].

    Raises SegError where an outline is damaged or made for another size.
    """
    mask = np.zeros(extent, np.uint8)
    covers = [(one, _covered(one, extent, where)) for one in instances]
    order = sorted(covers, key=lambda pair: (not pair[0].iscrowd, -int(pair[1].sum()), str(pair[0].id)))
    for instance, cover in order:
        mask[cover] = IGNORE if instance.iscrowd else indices[instance.category_id]
    return mask


def _checked(file: Traversable, found: _Content) -> Annotations:
    instances: dict[int | str, list[Instance]] = {picture.id: [] for picture in found.images}
    if len(instances) < len(found.images):
        raise SegError(f"{file}: images with the same id; export it again")
    known = {category.id for category in found.categories}
    for one in found.annotations:
        if one.image_id not in instances or one.category_id not in known:
            raise SegError(
                f"{file}: annotation {one.id} is of image {one.image_id} and category {one.category_id}, "
                "one of which is not declared; export it again"
            )
        instances[one.image_id].append(one)
    if boxes := [one.id for one in found.annotations if not one.segmentation]:
        raise SegError(
            f"{file}: annotations without outline, such as boxes: {listing(boxes)}; export polygons or masks"
        )
    return Annotations(file, found.images, found.categories, instances)


def _covered(instance: Instance, extent: tuple[int, int], where: object) -> np.ndarray:
    counts = _counts(instance, extent, where)
    if sum(counts) != extent[0] * extent[1] or min(counts, default=0) < 0:
        raise SegError(f"{where}: annotation {instance.id} is a mask whose runs do not fill the image; export it again")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(extent, order="F")


def _counts(instance: Instance, extent: tuple[int, int], where: object) -> list[int]:
    height, width = extent
    outline = instance.segmentation
    if not isinstance(outline, RunLengths):
        return _rasterised(instance.id, outline, extent, where)
    if outline.size != extent:
        raise SegError(
            f"{where}: annotation {instance.id} is a mask of {outline.size[1]}×{outline.size[0]} pixels on an "
            f"image of {width}×{height}; export it again"
        )
    return _uncompressed(outline.counts) if isinstance(outline.counts, str) else outline.counts


def _rasterised(name: int | str, polygons: Polygons, extent: tuple[int, int], where: object) -> list[int]:
    from pycocotools import mask

    if any(len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
        raise SegError(f"{where}: annotation {name} has a polygon of less than 3 points; draw it again")
    if any(abs(place) > FARTHEST for polygon in polygons for place in polygon):
        raise SegError(f"{where}: annotation {name} lies far outside its image; draw it again")
    single: Any = mask.frPyObjects(cast("Any", polygons), *extent)
    merged: Any = mask.merge(single)
    return _uncompressed(merged["counts"].decode())


def _uncompressed(text: str) -> list[int]:
    """COCO's own code: five bits a character, the lowest first; a run counts from the one before the last.

    Decoded here, for pycocotools leaves the pixels behind a text that ends early undefined.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    return counts if not shift else [-1]
