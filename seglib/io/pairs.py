"""Which mask belongs to which image, where both lie in folders side by side."""

from importlib.resources.abc import Traversable

from seglib.errors import SegError, listing
from seglib.io.images import SUFFIXES


def find_folder(root: Traversable, *needed: str) -> Traversable:
    """The folder that holds all `needed` folders: `root`, or a folder at most two levels below it.

    Raises SegError that says what was found instead.
    """
    level = [root]
    for _ in range(3):
        for folder in level:
            if all((folder / name).is_dir() for name in needed):
                return folder
        level = [child for folder in level for child in _children(folder) if child.is_dir()]
    found = listing((child.name for child in _children(root)), 8) or "nothing"
    raise SegError(f"{root}: expected the folders {' and '.join(needed)}, found {found}")


def pair_files(root: Traversable, image_folder: str, mask_folder: str) -> dict[str, tuple[Traversable, Traversable]]:
    """Pair images with masks named alike, or with `_mask` behind the name, by stem in order.

    Raises SegError that names images without mask, masks without image and stems that stand twice.
    """
    images = _by_stem(root / image_folder)
    masks = _by_stem(root / mask_folder)
    for stem in [stem for stem in masks if stem not in images and stem.endswith("_mask")]:
        plain = stem.removesuffix("_mask")
        if plain in masks:
            raise SegError(f"two masks for '{plain}': {masks[plain].name} and {masks[stem].name}")
        masks[plain] = masks.pop(stem)
    problems = []
    if without_mask := sorted(images.keys() - masks.keys()):
        problems.append(f"without mask: {listing(images[stem] for stem in without_mask)}")
    if without_image := sorted(masks.keys() - images.keys()):
        problems.append(f"without image: {listing(masks[stem] for stem in without_image)}")
    if problems:
        raise SegError("\n".join(problems) + "\nadd the missing files or remove these")
    if not images:
        raise SegError(f"{root / image_folder}: no images ({', '.join(SUFFIXES)})")
    return {stem: (images[stem], masks[stem]) for stem in sorted(images)}


def _children(folder: Traversable) -> list[Traversable]:
    visible = (child for child in folder.iterdir() if not child.name.startswith((".", "__MACOSX")))
    return sorted(visible, key=lambda child: child.name)


def _by_stem(folder: Traversable) -> dict[str, Traversable]:
    files: dict[str, Traversable] = {}
    for file in _children(folder):
        stem, dot, suffix = file.name.rpartition(".")
        if dot + suffix.lower() not in SUFFIXES:
            continue
        if stem in files:
            raise SegError(f"two files for '{stem}': {files[stem].name} and {file.name} in {folder}")
        files[stem] = file
    return files
