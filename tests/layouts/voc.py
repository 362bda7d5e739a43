"""Pascal VOC's own layout, and the one that LabelMe exports."""

from pathlib import Path

import numpy as np
from PIL import Image

from seglib.io.voc import CLASSES, colours
from tests.layouts import disc, save

IDS = tuple(f"2007_{i:06d}" for i in range(10))
PERSON = CLASSES.index("person")


def build(root: Path) -> dict[str, object]:
    """Ten of twelve images have masks: persons with a void edge on a sofa; six train and four validate."""
    home = root / "VOCdevkit/VOC2012"
    for i, case in enumerate((*IDS, "2007_000100", "2007_000101")):
        image, mask = disc(i)
        save(home / "JPEGImages" / f"{case}.jpg", image)
        if case in IDS:
            save_palette(home / "SegmentationClass" / f"{case}.png", annotation(mask))
            save_palette(home / "SegmentationObject" / f"{case}.png", mask)
    write_lists(home, train=IDS[:6], val=IDS[6:], trainval=IDS)
    (home / "Annotations").mkdir()
    return {}


def build_labelme(root: Path) -> dict[str, object]:
    """Without VOCdevkit and lists, with names of its own."""
    home = root / "data_dataset_voc"
    for i, case in enumerate(IDS):
        image, mask = disc(i)
        save(home / "JPEGImages" / f"{case}.jpg", image)
        save_palette(home / "SegmentationClassPNG" / f"{case}.png", mask)
    (home / "class_names.txt").write_text("_background_\npotted plant\ntv/monitor\n")
    return {}


def write_lists(home: Path, **lists: tuple[str, ...]) -> None:
    """Write the lists of the segmentation task."""
    folder = home / "ImageSets/Segmentation"
    folder.mkdir(parents=True, exist_ok=True)
    for name, ids in lists.items():
        (folder / f"{name}.txt").write_text("".join(f"{case}\n" for case in ids))


def annotation(mask: np.ndarray) -> np.ndarray:
    """The disc as a person with a column of void, above rows of sofa."""
    indices = np.where(mask == 1, PERSON, 0).astype(np.uint8)
    indices[-4:] = CLASSES.index("sofa")
    indices[:, :2] = 255
    return indices


def save_palette(path: Path, indices: np.ndarray) -> None:
    """Write indices in VOC's palette."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    image.putpalette([value for colour in colours(256) for value in colour])
    image.save(path)
