import re

import numpy as np
import pytest

from seglib.datasets import voc
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.voc import colours
from tests.layouts import disc, save
from tests.layouts import voc as layouts

PARAMS = voc.Params()


def read(root):
    spec = voc.spec(root, PARAMS)
    return {sample.id: (sample, *sample.read(spec)) for sample in voc.samples(root, PARAMS)}


def refused(root, said):
    with pytest.raises(SegError) as caught:
        read(root)
    assert re.search(said, str(caught.value)), str(caught.value)


def test_the_masks_choose_the_images_and_the_lists_the_sides(tmp_path, capsys):
    layouts.build(tmp_path)
    found = read(tmp_path)
    assert list(found) == list(layouts.IDS)
    assert [sample.side for sample, _, _ in found.values()] == ["train"] * 6 + ["val"] * 4
    assert (found["2007_000003"][2] == layouts.annotation(disc(3)[1])).all()
    assert capsys.readouterr().out == ""


def test_the_palette_is_that_of_voc():
    assert colours(22)[:4] == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
    assert colours(22)[15] == (192, 128, 128)
    assert colours(256)[255] == (224, 224, 192)


def test_without_lists_there_are_no_sides(tmp_path):
    layouts.build_labelme(tmp_path)
    assert {sample.side for sample, _, _ in read(tmp_path).values()} == {None}
    assert [one.name for one in voc.spec(tmp_path, PARAMS).classes] == ["background", "potted_plant", "tv_monitor"]


def test_two_years_are_read_together(tmp_path):
    layouts.build(tmp_path)
    home = tmp_path / "VOCdevkit/VOC2007"
    image, mask = disc(0)
    save(home / "JPEGImages/000032.jpg", image)
    layouts.save_palette(home / "SegmentationClass/000032.png", mask)
    assert list(read(tmp_path))[:2] == ["000032", "2007_000000"]


def test_a_sum_of_the_lists_that_is_none_is_reported(tmp_path, capsys):
    layouts.build(tmp_path)
    layouts.write_lists(tmp_path / "VOCdevkit/VOC2012", trainval=layouts.IDS[1:])
    assert len(read(tmp_path)) == 10
    assert re.search(r"warning: .*trainval\.txt is not the sum.*: 2007_000000", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ({"val": layouts.IDS[5:]}, r"2007_000005: both in .*train\.txt and in .*val\.txt"),
        ({"val": ("2007_999999",)}, r"val\.txt: no image for 2007_999999"),
        ({"val": ("2007_000100",)}, r"no mask for 2007_000100"),
    ],
)
def test_wrong_lists_are_named(tmp_path, lists, said):
    layouts.build(tmp_path)
    layouts.write_lists(tmp_path / "VOCdevkit/VOC2012", **lists)
    refused(tmp_path, said)


def test_a_mask_without_image_is_named(tmp_path):
    layouts.build(tmp_path)
    (tmp_path / "VOCdevkit/VOC2012/JPEGImages/2007_000004.jpg").unlink()
    refused(tmp_path, r"without image: .*SegmentationClass/2007_000004\.png")


def test_an_index_beyond_the_classes_is_named(tmp_path):
    layouts.build_labelme(tmp_path)
    layouts.save_palette(
        tmp_path / "data_dataset_voc/SegmentationClassPNG/2007_000001.png", np.full((40, 48), 3, np.uint8)
    )
    refused(tmp_path, r"2007_000001\.png: mask values outside the declared classes: 3 \(100\.00%.*0, 1, 2, 255")


def test_a_mask_of_colours_is_named(tmp_path):
    layouts.build(tmp_path)
    save(tmp_path / "VOCdevkit/VOC2012/SegmentationClass/2007_000001.png", disc(0)[0])
    refused(tmp_path, r"2007_000001\.png: is a RGB image; its mask must hold one index a pixel")


def test_another_list_of_names_changes_the_fingerprint(tmp_path):
    layouts.build_labelme(tmp_path)
    before = voc.samples(tmp_path, PARAMS)[0].fingerprint()
    (tmp_path / "data_dataset_voc/class_names.txt").write_text("_background_\nother\ntv\n")
    assert voc.samples(tmp_path, PARAMS)[0].fingerprint() != before


def test_other_folders_are_told(tmp_path):
    (tmp_path / "JPEGImages").mkdir()
    refused(tmp_path, "expected the folders JPEGImages and SegmentationClass, found JPEGImages")


def test_the_real_export_of_labelme(real_data):
    found = read(open_source(real_data / "labelme_semantic_segmentation.zip"))
    assert {name: np.unique(mask).tolist() for name, (_, _, mask) in found.items()} == {
        "2011_000003": [0, 5, 15, 255],
        "2011_000006": [0, 9, 15, 18, 255],
        "2011_000025": [0, 6, 7],
    }
