import json
import re
from pathlib import Path

import numpy as np
import pytest

from seglib.datasets import coco
from seglib.errors import SegError
from tests.layouts import coco as layouts
from tests.layouts import disc, save

PARAMS = coco.Params()
TRAIN = "annotations/instances_train2017.json"


def read(root):
    spec = coco.spec(root, PARAMS)
    return {sample.id: (sample, *sample.read(spec)) for sample in coco.samples(root, PARAMS)}


def refused(root, said):
    with pytest.raises(SegError) as caught:
        read(root)
    assert re.search(said, str(caught.value)), str(caught.value)


def change(file: Path, edit) -> None:
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


def one_image(root: Path, *annotations) -> np.ndarray:
    """The mask of a single image with these instances of two categories."""
    save(root / "images/a.png", disc(0)[0])
    layouts.write(root / "annotations/instances_default.json", ["a.png"], list(annotations))
    return read(root)["a"][2]


def instance(number, category, outline, **more):
    return {"id": number, "image_id": 0, "category_id": category, "segmentation": outline, **more}


def box(x, y, right, bottom):
    return [[x, y, right, y, right, bottom, x, bottom]]


def test_every_kind_of_outline_gives_the_same_disc(tmp_path, capsys):
    layouts.build(tmp_path)
    found = read(tmp_path)
    assert list(found) == [f"{i:012d}" for i in range(10)]
    assert [sample.side for sample, _, _ in found.values()] == ["train"] * 7 + ["val"] * 3
    assert [one.name for one in coco.spec(tmp_path, PARAMS).classes] == ["background", "car", "dog"]
    for i, (_, _, mask) in enumerate(found.values()):
        truth = disc(i)[1] == 1
        inside = (mask == 1) | (mask == 2)
        assert 2 * (inside & truth).sum() / (inside.sum() + truth.sum()) > 0.85
    assert (found["000000000001"][2] == disc(1)[1] * 2).all()
    assert (found["000000000006"][2][0, :4] == 255).all()
    assert capsys.readouterr().out == ""


def test_the_smaller_of_two_instances_is_seen(tmp_path):
    small, large = instance(1, 18, box(10, 10, 20, 20)), instance(2, 3, box(5, 5, 40, 35))
    mask = one_image(tmp_path, small, large)
    assert mask[15, 15] == 2
    assert mask[30, 30] == 1
    assert (one_image(tmp_path, large, small) == mask).all()


def test_a_crowd_is_ignored_where_no_instance_lies(tmp_path):
    small, crowd = instance(1, 18, box(10, 10, 20, 20)), instance(2, 18, box(5, 5, 40, 35), iscrowd=1)
    mask = one_image(tmp_path, crowd, small)
    assert (mask[15, 15], mask[30, 30], mask[38, 2]) == (2, 255, 0)


def test_an_image_without_annotations_is_background(tmp_path):
    assert not one_image(tmp_path).any()


def test_copies_that_roboflow_made_of_one_image_are_a_group(tmp_path):
    layouts.build_roboflow(tmp_path)
    found = read(tmp_path)
    assert {sample.group for sample, _, _ in found.values()} == {f"photo{i}_jpg" for i in range(9)}
    assert {sample.side for sample, _, _ in found.values()} == {"train", "val", "test"}
    assert [one.name for one in coco.spec(tmp_path, PARAMS).classes] == ["background", "car"]


@pytest.mark.parametrize("folder", ["", "images/", "images/train2017/", "some/where/"])
def test_images_are_found_wherever_they_lie(tmp_path, folder):
    save(tmp_path / f"{folder}a.png", disc(0)[0])
    layouts.write(tmp_path / "labels/_annotations.coco.json", ["a.png"], [])
    assert list(read(tmp_path)) == ["a"]


def test_images_of_the_same_name_are_told_apart_by_their_side(tmp_path):
    for i, side in enumerate(("train", "val")):
        save(tmp_path / "images" / side / "a.png", disc(i)[0])
        layouts.write(tmp_path / "annotations" / f"{side}.json", ["a.png"], [])
    found = read(tmp_path)
    assert {name: sample.side for name, (sample, _, _) in found.items()} == {
        "images-train-a": "train",
        "images-val-a": "val",
    }
    assert (found["images-val-a"][1] == disc(1)[0]).all()


def test_the_picture_of_another_folder_is_not_taken(tmp_path):
    save(tmp_path / "cam2/0001.png", disc(0)[0])
    layouts.write(tmp_path / "annotations.json", ["cam1/0001.png"], [])
    refused(tmp_path, r"its image 'cam1/0001\.png' is missing")


def test_files_that_are_passed_over_are_printed(tmp_path, capsys):
    layouts.build(tmp_path)
    layouts.write(tmp_path / "extra.json", ["000000000000.jpg"], [])
    assert len(coco.samples(tmp_path, PARAMS)) == 10
    assert "JSON files that are not read as COCO instances: " in (said := capsys.readouterr().err)
    assert "extra.json" in said


@pytest.mark.parametrize(
    ("outline", "said"),
    [
        ([], "annotations without outline, such as boxes: 7"),
        ([[1, 2, 3, 4]], "annotation 7 has a polygon of less than 3 points"),
        ([[1, 2, 3, 4, 1e9, 6]], "annotation 7 lies far outside"),
        ({"size": [48, 40], "counts": [1920]}, "annotation 7 is a mask of 40×48 pixels on an image of 48×40"),
        ({"size": [40, 48], "counts": [10, 20]}, "whose runs do not fill the image"),
        ({"size": [40, 48], "counts": [-80, 2000]}, "whose runs do not fill the image"),
        ({"size": [40, 48], "counts": "m8?i0"}, "whose runs do not fill the image"),
        ({"size": [40, 48], "counts": "é"}, "annotation 7 is "),
        ({"size": [40, 48]}, r"annotations\.0\.segmentation"),
        ("text", r"annotations\.0\.segmentation"),
    ],
)
def test_a_damaged_outline_is_named(tmp_path, outline, said):
    with pytest.raises(SegError, match=rf"instances_default\.json: .*{said}"):
        one_image(tmp_path, instance(7, 3, outline))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda content: content["images"][0].update(file_name="../../a.jpg"), "points outside the data set"),
        (lambda content: content["images"][0].update(file_name="/etc/a.jpg"), "is absolute"),
        (lambda content: content["images"][0].update(file_name="none.jpg"), "its image 'none.jpg' is missing"),
        (lambda content: content["images"][1].update(file_name="000000000000.jpg"), "is named twice"),
        (lambda content: content["images"][1].update(id=0), "images with the same id"),
        (lambda content: content["images"][1].pop("height"), r"images\.1\.height: Field required"),
        (lambda content: content["images"][1].update(height=10**6), r"train2017\.json: images\.1\.height: .*65535"),
        (lambda content: content["annotations"][0].update(image_id=500), "annotation 1 is of image 500"),
        (lambda content: content["annotations"][0].update(category_id=500), "and category 500, one of which is not"),
        (lambda content: content["categories"][0].update(name="cat"), "category 18 is 'dog' here and 'cat' in another"),
        (lambda content: content["images"][0].update(height=39), "000000000000"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, edit, said):
    layouts.build(tmp_path)
    change(tmp_path / TRAIN, edit)
    refused(tmp_path, said)


def test_damaged_json_is_named(tmp_path):
    layouts.build(tmp_path)
    (tmp_path / TRAIN).write_text('{"images": [')
    refused(tmp_path, r"instances_train2017\.json: is no JSON")


def test_a_folder_without_annotations_is_told(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    refused(tmp_path, "no COCO annotations; expected a JSON file with images, annotations and categories")


def test_only_the_changed_annotation_changes_a_fingerprint(tmp_path):
    layouts.build(tmp_path)
    before = [sample.fingerprint() for sample in coco.samples(tmp_path, PARAMS)]
    change(tmp_path / TRAIN, lambda content: content["annotations"][3].update(category_id=3))
    after = [sample.fingerprint() for sample in coco.samples(tmp_path, PARAMS)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [i != 3 for i in range(10)]
