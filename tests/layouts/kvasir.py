"""Kvasir-SEG as Simula serves it, or as the Kaggle copy `debeshjha1/kvasirseg` holds it."""

import json
from pathlib import Path

from tests.layouts import disc, save

IDS = tuple(f"cju0qkwl35piu0993l0dewe{i:02d}" for i in range(10))


def build(root: Path, folder: str = "Kvasir-SEG") -> dict[str, object]:
    """JPEG images and JPEG masks below one folder, the boxes beside them; ten of them."""
    for i, case in enumerate(IDS):
        image, mask = disc(i)
        save(root / folder / "images" / f"{case}.jpg", image)
        save(root / folder / "masks" / f"{case}.jpg", mask * 255)
    boxes = {case: {"height": 40, "width": 48, "bbox": []} for case in IDS}
    (root / folder / "kavsir_bboxes.json").write_text(json.dumps(boxes))
    return {"threshold": 127}


def build_kaggle(root: Path) -> dict[str, object]:
    """The same twice nested, with a folder of boxes."""
    folder = root / "Kvasir-SEG/Kvasir-SEG"
    options = build(root, "Kvasir-SEG/Kvasir-SEG")
    (folder / "bbox").mkdir()
    for case in IDS:
        (folder / "bbox" / f"{case}.csv").write_text("class_name,xmin,ymin,xmax,ymax\npolyp,3,4,20,30\n")
    return options
