import json
import re

import cv2
import numpy as np
import pytest

from seglib.datasets import labelme, voc
from seglib.errors import SegError
from seglib.io.archive import open_source
from tests.layouts import disc, save
from tests.layouts import labelme as layouts

PARAMS = labelme.Params()
FOLDER = "semantic_segmentation/data_annotated"


def read(root):
    spec = labelme.spec(root, PARAMS)
    return {sample.id: (sample, *sample.read(spec)) for sample in labelme.samples(root, PARAMS)}


def refused(root, said):
    with pytest.raises(SegError) as caught:
        read(root)
    assert re.search(said, str(caught.value)), str(caught.value)


def write(root, shapes, **more):
    layouts.write(root / FOLDER / "x.json", shapes, more.pop("image", "2011_000000.jpg"), **more)


def test_images_lie_beside_or_inside_their_files(tmp_path):
    layouts.build(tmp_path)
    found = read(tmp_path)
    assert list(found) == [f"2011_{i:06d}" for i in range(10)]
    assert [one.name for one in labelme.spec(tmp_path, PARAMS).classes] == ["background", "person", "tv_monitor"]
    for i, (_, image, mask) in enumerate(found.values()):
        assert np.abs(image.astype(int) - disc(i)[0]).mean() < 20
        assert ((mask == 1) <= (disc(i)[1] == 1)).all()


def test_without_a_list_the_labels_are_those_found(tmp_path):
    layouts.build(tmp_path)
    (tmp_path / "semantic_segmentation/labels.txt").unlink()
    write(tmp_path, [layouts.shape("ant", "circle", [[20.0, 20.0], [20.0, 25.0]])])
    assert [one.name for one in labelme.spec(tmp_path, PARAMS).classes] == ["background", "ant", "person", "tv_monitor"]
    assert read(tmp_path)["x"][2].max() == 1


def test_another_list_of_labels_changes_the_fingerprint(tmp_path):
    layouts.build(tmp_path)
    before = labelme.samples(tmp_path, PARAMS)[0].fingerprint()
    (tmp_path / "semantic_segmentation/labels.txt").write_text("tv/monitor\nperson\n")
    assert labelme.samples(tmp_path, PARAMS)[0].fingerprint() != before


def test_an_image_may_lie_in_another_folder_of_the_data_set(tmp_path):
    layouts.build(tmp_path)
    save(tmp_path / "photos/y.png", disc(0)[0])
    write(tmp_path, [], image="..\\..\\photos\\y.png")
    assert (read(tmp_path)["x"][1] == disc(0)[0]).all()


def test_a_photograph_is_turned_upright(tmp_path):
    from PIL import Image

    layouts.build(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(disc(0)[0])).save(tmp_path / FOLDER / "turned.jpg", exif=exif, quality=95)
    write(tmp_path, [], image="turned.jpg")
    assert np.abs(read(tmp_path)["x"][1].astype(int) - disc(0)[0]).mean() < 20


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("../../../secret.png", r"x\.json: the path '\.\./\.\./\.\./secret\.png' points outside the data set"),
        ("/etc/secret.png", "is absolute"),
        ("C:\\photos\\a.png", "is absolute"),
        ("gone.png", r"x\.json: its image .*gone\.png is missing"),
        ("", "is missing"),
    ],
)
def test_an_image_that_is_not_there_is_named(tmp_path, image, said):
    layouts.build(tmp_path / "root")
    save(tmp_path / "secret.png", disc(0)[0])
    write(tmp_path / "root", [], image=image)
    refused(tmp_path / "root", said)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (layouts.shape("bird", "circle", [[2.0, 2.0], [3.0, 3.0]]), r"x\.json: labels that labels\.txt lacks: 'bird'"),
        (layouts.shape("person", "polygon", [[2.0, 2.0], [3.0, 3.0]]), "'person' is a polygon of 2 points"),
        (layouts.shape("person", "rectangle", [[2.0, 2.0]] * 3), "'person' is a rectangle of 3 points"),
        (layouts.shape("person", "cuboid", [[2.0, 2.0]]), "of the type cuboid"),
        (layouts.shape("person", "mask", [[2.0, 2.0], [3.0, 3.0]]), "is a mask without pixels"),
        (
            layouts.shape("person", "polygon", [[2.0, 2.0], [3.0, 3e9], [1.0, 1.0]]),
            r"x\.json: 'person' lies far outside",
        ),
        (layouts.shape("person", "circle", [[2.0, 2.0], [1e12, 3.0]]), r"x\.json: 'person' lies far outside"),
        (layouts.shape("person", "point", [[float("nan"), 2.0]]), r"is no LabelMe annotation \(shapes\.0\.points"),
        (
            layouts.shape("person", "mask", [[45.0, 2.0], [52.0, 3.0]], mask=layouts.stored(np.ones((2, 8), np.uint8))),
            r"the mask of 'person' \(8×2 at 45, 2\) reaches out of the image \(48×40\)",
        ),
        (layouts.shape("person", "mask", [[4.0, 2.0], [5.0, 3.0]], mask="!!!"), "the mask of 'person': "),
    ],
)
def test_a_shape_that_cannot_be_drawn_is_named(tmp_path, shape, said):
    layouts.build(tmp_path)
    write(tmp_path, [shape])
    refused(tmp_path, said)


def test_damaged_files_are_named_and_other_json_is_left_out(tmp_path):
    layouts.build(tmp_path)
    (tmp_path / "settings.json").write_text('{"colour": 1}')
    (tmp_path / "list.json").write_text("[1]")
    assert len(read(tmp_path)) == 10
    (tmp_path / FOLDER / "x.json").write_text('{"shapes": [')
    refused(tmp_path, r"x\.json: is no JSON")


def test_an_image_of_another_size_than_annotated_is_refused(tmp_path):
    layouts.build(tmp_path)
    write(tmp_path, [], imageHeight=48, imageWidth=40)
    refused(tmp_path, "sample 'x': the image has 48×40 pixels, its mask 40×48")


def test_a_size_that_no_image_has_is_named(tmp_path):
    layouts.build(tmp_path)
    write(tmp_path, [], imageHeight=10**6, imageWidth=10**6)
    refused(tmp_path, r"x\.json: .*imageHeight: .* 65535")


def test_a_damaged_embedded_image_is_named(tmp_path):
    layouts.build(tmp_path)
    write(tmp_path, [], embedded="AAAA")
    refused(tmp_path, r"x\.json: not a readable image")


def test_lists_of_labels_must_agree(tmp_path):
    layouts.build(tmp_path / "one")
    layouts.build(tmp_path / "two")
    assert len(read(tmp_path)) == 20
    assert min(read(tmp_path)) == "one-semantic_segmentation-data_annotated-2011_000000"
    (tmp_path / "two/semantic_segmentation/labels.txt").write_text("person\ntv/monitor\ncat\n")
    refused(tmp_path, "lists of labels that differ")


def test_no_annotations_are_told(tmp_path):
    refused(tmp_path, "no LabelMe annotations; expected JSON files with 'shapes'")


def test_the_real_annotations_give_the_masks_that_labelme_exported(real_data):
    """But for one pixel at the tip of a triangle, where another version of the drawing library rounded."""
    root = open_source(real_data / "labelme_semantic_segmentation.zip")
    drawn, exported = labelme.samples(root, PARAMS), voc.samples(root, voc.Params())
    assert labelme.spec(root, PARAMS).classes[1:3] != voc.spec(root, voc.Params()).classes[1:3]
    differing = {one.id: int((one.mask() != other.mask()).sum()) for one, other in zip(drawn, exported, strict=True)}
    assert differing == {"2011_000003": 0, "2011_000006": 1, "2011_000025": 0}


def test_the_fingerprint_covers_a_linked_image(tmp_path):
    layouts.build(tmp_path)
    before = [sample.fingerprint() for sample in labelme.samples(tmp_path, PARAMS)]
    cv2.imwrite(str(tmp_path / FOLDER / "2011_000002.jpg"), np.zeros((40, 48, 3), np.uint8))
    content = json.loads((tmp_path / FOLDER / "2011_000001.json").read_text())
    content["shapes"] = []
    (tmp_path / FOLDER / "2011_000001.json").write_text(json.dumps(content))
    after = [sample.fingerprint() for sample in labelme.samples(tmp_path, PARAMS)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [i not in (1, 2) for i in range(10)]
