"""Which mask belongs to which image, where both lie in folders side by side."""

from collections.abc import Callable, Collection, Sequence
from importlib.resources.abc import Traversable
from typing import NamedTuple

from seglib.errors import SegError, listing
from seglib.io.images import SUFFIXES
from seglib.io.sample import Side
from seglib.io.tree import walk

IMAGES = ("images", "image", "imgs", "img", "jpegimages")
MASKS = ("masks", "mask", "labels", "label", "annotations")
"""What folders of images and of masks are called, in lower case; the first name goes before the others."""
MASK_ENDINGS = ("_mask", "-mask", "_label", "-label", "_seg", "-seg")
"""What may stand behind the image's name in that of its mask."""
IMAGE_ENDINGS = (
    *SUFFIXES, ".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".dcm", ".jp2", ".j2k", ".jpx", ".jxl", ".jfif", ".heic",
    ".heif", ".avif", ".ppm", ".pgm", ".pbm", ".tga", ".exr",
)  # fmt: skip
"""Endings of images and volumes, also of those that cannot be read; such files are not passed over in silence."""
SIDES: dict[str, Side] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""What folders and lists of a side of the split are called."""


class Folders(NamedTuple):
    """A folder of images and that of their masks inside `home`, and their side where there are several."""

    home: Traversable
    images: Traversable
    masks: Traversable
    side: Side | None = None


def find_folder(root: Traversable, *needed: str) -> Traversable:
    """The folder that holds all `needed` folders: `root`, or a folder at most two levels below it.

    Raises SegError that says what was found instead, or that there are several.
    """
    folders = _folders(root, lambda folder: needed if _holds(folder, needed) else ())
    fitting = [folder for folder in folders if _holds(folder, needed)]
    if len(fitting) > 1:
        raise SegError(
            f"{root}: several folders with {' and '.join(needed)}: {listing(fitting)}; keep one, or set data.path to it"
        )
    if fitting:
        return fitting[0]
    found = listing((child.name for child in _children(root)), 8) or "nothing"
    raise SegError(f"{root}: expected the folders {' and '.join(needed)}, found {found}")


def paired_folders(root: Traversable) -> list[Folders]:
    """The folders of images and of masks side by side in `root`, or at most two levels below it.

    Several such pairs must be the sides of a split, as `train/images` or `images/train`. Raises SegError
    where there is none, or it is unclear which one is meant.
    """
    found = [pair for folder in _folders(root, _parts) if (pair := _pair_in(folder))]
    if len(found) == 1:
        return _distinct(_sides_inside(found[0]), root)
    if found:
        return _distinct([pair._replace(side=_side(pair, root)) for pair in found], root)
    seen = listing((child.name for child in _children(root)), 8) or "nothing"
    raise SegError(f"{root}: expected the folders images and masks, found {seen}")


def pair_files(root: Traversable, image_folder: str, mask_folder: str) -> dict[str, tuple[Traversable, Traversable]]:
    """Pair images with masks named alike, or with `_mask` behind the name, by stem in order.

    Raises SegError that names images without mask, masks without image and stems that stand twice.
    """
    return pair_stems(root / image_folder, root / mask_folder, SUFFIXES)


def pair_stems(
    image_folder: Traversable, mask_folder: Traversable, suffixes: Sequence[str]
) -> dict[str, tuple[Traversable, Traversable]]:
    """Pair the files of two folders whose names end in `suffixes` as `pair_files` does."""
    images = all_by_stem(image_folder, suffixes)
    masks = match_masks(images, all_by_stem(mask_folder, suffixes))
    problems = []
    if without_mask := sorted(images.keys() - masks.keys()):
        problems.append(f"without mask: {listing(images[stem] for stem in without_mask)}")
    if without_image := sorted(masks.keys() - images.keys()):
        problems.append(f"without image: {listing(masks[stem] for stem in without_image)}")
    if problems:
        raise SegError("\n".join(problems) + "\nadd the missing files or remove these")
    if not images:
        raise SegError(f"{image_folder}: no images ({', '.join(suffixes)})")
    return {stem: (images[stem], masks[stem]) for stem in sorted(images)}


def all_by_stem(folder: Traversable, suffixes: Sequence[str]) -> dict[str, Traversable]:
    """The files of a folder as `by_stem` gives them.

    Raises SegError, too, where there are other images in the folder or in folders inside it.
    """
    files = by_stem(folder, suffixes)
    refuse_others(folder, {file.name for file in files.values()})
    return files


def refuse_others(folder: Traversable, read: Collection[str]) -> None:
    """Raise SegError where a folder holds images or volumes besides its children called `read`."""
    found = walk(folder, IMAGE_ENDINGS)
    if others := [file for path, file in found.items() if path.partition("/")[0] not in read]:
        raise SegError(
            f"{folder}: images that would not be read: {listing(others)}; "
            "put them where the others lie and in a format that is read, or remove them"
        )


def by_stem(folder: Traversable, suffixes: Sequence[str]) -> dict[str, Traversable]:
    """The files of a folder whose names end in `suffixes`: the name before the longest of them → file.

    Raises SegError where two files have the same stem.
    """
    files: dict[str, Traversable] = {}
    for file in _children(folder):
        stem = stem_of(file.name, suffixes)
        if stem is None:
            continue
        if stem in files:
            raise SegError(f"two files for '{stem}': {files[stem].name} and {file.name} in {folder}")
        files[stem] = file
    return files


def stem_of(name: str, suffixes: Sequence[str]) -> str | None:
    """A file's name before the longest suffix that it ends in, whatever the case; None where there is none."""
    fitting = [suffix for suffix in suffixes if name.lower().endswith(suffix) and len(name) > len(suffix)]
    return name[: -max(map(len, fitting))] if fitting else None


def match_masks(images: dict[str, Traversable], masks: dict[str, Traversable]) -> dict[str, Traversable]:
    """The masks under their images' stems, whatever `MASK_ENDINGS` stands behind their own.

    Raises SegError where two masks then have the same stem.
    """
    matched = dict(masks)
    for stem in [stem for stem in masks if stem not in images]:
        plain = next((stem.removesuffix(end) for end in MASK_ENDINGS if stem.removesuffix(end) in images), stem)
        if plain == stem and stem.endswith("_mask"):
            plain = stem.removesuffix("_mask")
        if plain != stem and plain in matched:
            raise SegError(f"two masks for '{plain}': {matched[plain].name} and {matched[stem].name}")
        matched[plain] = matched.pop(stem)
    return matched


def _folders(root: Traversable, parts: Callable[[Traversable], Collection[str]]) -> list[Traversable]:
    """`root` and the folders at most two levels below it, the upper first, but not those that `parts` names of one."""
    found, level = [root], [root]
    for _ in range(2):
        named = [(folder, parts(folder)) for folder in level]
        level = [
            child for folder, own in named for child in _children(folder) if child.name not in own and child.is_dir()
        ]
        found += level
    return found


def _holds(folder: Traversable, names: Sequence[str]) -> bool:
    return all((folder / name).is_dir() for name in names)


def _parts(folder: Traversable) -> tuple[str, ...]:
    pair = _pair_in(folder)
    return (pair.images.name, pair.masks.name) if pair else ()


def _pair_in(folder: Traversable) -> Folders | None:
    images, masks = _named(folder, IMAGES), _named(folder, MASKS)
    return Folders(folder, images, masks) if images and masks else None


def _named(folder: Traversable, names: Sequence[str]) -> Traversable | None:
    """The one folder of these names."""
    found = [child for child in _children(folder) if child.name.lower() in names and child.is_dir()]
    plain = [child for child in found if child.name.lower() == names[0]]
    if len(plain) != 1 and len(found) > 1:
        raise SegError(f"{folder}: unclear which is meant of {listing(child.name for child in found)}; keep one")
    return (plain or found or [None])[0]


def _side(pair: Folders, root: Traversable) -> Side:
    side = SIDES.get(pair.home.name.lower())
    if side is None:
        raise SegError(
            f"{root}: several folders with images and masks, one of them {pair.home.name}; "
            "name them train, val and test, or set data.path to the one that is meant"
        )
    return side


def _distinct(found: list[Folders], root: Traversable) -> list[Folders]:
    sides = [pair.side for pair in found]
    if doubled := sorted({str(side) for side in sides if sides.count(side) > 1}):
        raise SegError(f"{root}: several folders of the side {listing(doubled)}; keep one of each")
    return found


def _sides_inside(pair: Folders) -> list[Folders]:
    """`images/train`, `images/val` and the same of the masks, where folders of the images are called so."""
    inside = {child.name: child for child in _children(pair.images) if child.is_dir() and child.name.lower() in SIDES}
    if not inside:
        return [pair]
    if missing := [name for name in inside if not (pair.masks / name).is_dir()]:
        raise SegError(f"{pair.masks}: lacks the folder {listing(missing)} that {pair.images} has; add the masks")
    for folder in (pair.images, pair.masks):
        refuse_others(folder, inside)
    return [Folders(pair.home, child, pair.masks / name, SIDES[name.lower()]) for name, child in inside.items()]


def _children(folder: Traversable) -> list[Traversable]:
    visible = (child for child in folder.iterdir() if not child.name.startswith((".", "__MACOSX")))
    return sorted(visible, key=lambda child: child.name)
