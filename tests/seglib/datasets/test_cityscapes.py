import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from seglib.datasets.cityscapes import Params, samples, spec
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import IGNORE
from tests.layouts import save
from tests.layouts.cityscapes import CITIES, build

PARAMS = Params()
TRAIN_IDS = {
    7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9,
    23: 10, 24: 11, 25: 12, 26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18,
}  # fmt: skip
PARTS = ("leftImg8bit", "gtFine")


@pytest.fixture
def root(tmp_path):
    build(tmp_path)
    return tmp_path


def content(root):
    return [(s.id, s.group, s.side, s.fingerprint(), s.mask().tobytes()) for s in samples(root, PARAMS)]


def pack(root, part):
    """As the authors pack it: the part's folder beside a licence."""
    staged = root / "staged"
    staged.mkdir()
    (root / part).rename(staged / part)
    shutil.copy(root / "license.txt", staged)
    shutil.make_archive(str(root / f"{part}_trainvaltest"), "zip", staged)
    shutil.rmtree(staged)


def stored(root, sample):
    file = root / "gtFine" / sample.side / sample.group / f"{sample.id}_gtFine_labelIds.png"
    return np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), np.uint8)


def test_the_official_sides_and_the_cities(root):
    found = samples(root, PARAMS)
    assert {(s.group, s.side) for s in found} == {(c, side) for side in ("train", "val") for c in CITIES[side]}
    assert [s.id for s in found] == sorted(s.id for s in found)
    assert found[0].id == "aachen_000000_000019"


def test_label_ids_become_train_ids_behind_the_empty_class(root):
    for sample in samples(root, PARAMS):
        _, mask = sample.read(spec(root, PARAMS))
        table = np.full(256, IGNORE, np.uint8)
        for label, train_id in TRAIN_IDS.items():
            table[label] = train_id + 1
        assert np.array_equal(mask, table[stored(root, sample)])
        assert set(np.unique(mask)) == {*range(1, 20), IGNORE}


def test_the_empty_class_stands_first(root):
    classes = spec(root, PARAMS).classes
    assert [entry.name for entry in classes[:3]] == ["void", "road", "sidewalk"]
    assert (classes[14].name, classes[14].colour) == ("car", (0, 0, 142))
    assert len(classes) == 20


def test_train_ids_serve_where_there_are_no_label_ids(root):
    plain = content(root)
    for sample in samples(root, PARAMS):
        folder = root / "gtFine" / str(sample.side) / sample.group
        mask = sample.mask()
        save(folder / f"{sample.id}_gtFine_labelTrainIds.png", np.where(mask == IGNORE, mask, mask - 1))
    assert content(root) == plain, "label ids come first"
    for file in root.glob("gtFine/*/*/*_labelIds.png"):
        file.unlink()
    assert [entry[-1] for entry in content(root)] == [entry[-1] for entry in plain]


def test_both_archives_side_by_side_are_the_same(root, tmp_path_factory):
    plain = content(root)
    pack(root, "gtFine")
    assert content(root) == plain, "one packed, one not"
    pack(root, "leftImg8bit")
    assert content(root) == plain
    outer = shutil.make_archive(str(tmp_path_factory.mktemp("outer") / "cityscapes"), "zip", root)
    assert content(open_source(Path(outer))) == plain


def test_archives_unpacked_into_folders_of_their_names(root):
    plain = content(root)
    for part in PARTS:
        (root / f"{part}_trainvaltest").mkdir()
        (root / part).rename(root / f"{part}_trainvaltest" / part)
    assert content(root) == plain


def test_a_folder_around_it_and_a_missing_side_do_no_harm(root):
    (root / "cityscapes").mkdir()
    for part in PARTS:
        shutil.rmtree(root / part / "val")
        (root / part).rename(root / "cityscapes" / part)
    assert {s.side for s in samples(root, PARAMS)} == {"train"}


def test_a_lone_image_or_label_is_named(root):
    (root / "gtFine/train/bremen/bremen_000000_000019_gtFine_labelIds.png").unlink()
    with pytest.raises(SegError, match=r"without mask: .*bremen_000000_000019_leftImg8bit\.png"):
        samples(root, PARAMS)
    shutil.rmtree(root / "leftImg8bit/train/aachen")
    with pytest.raises(SegError, match=r"without image: .*aachen_000000_000019_gtFine_labelIds\.png"):
        samples(root, PARAMS)


def test_another_label_is_an_error(root):
    save(root / "gtFine/val/lindau/lindau_000000_000019_gtFine_labelIds.png", np.full((40, 48), 34, np.uint8))
    sample = next(s for s in samples(root, PARAMS) if s.id == "lindau_000000_000019")
    with pytest.raises(SegError, match=r"lindau_000000_000019_gtFine_labelIds\.png.* 34 "):
        sample.mask()


def test_a_missing_part_says_what_was_found(root):
    shutil.rmtree(root / "gtFine")
    with pytest.raises(SegError, match=r"expected leftImg8bit and gtFine, .*found leftImg8bit, license\.txt"):
        samples(root, PARAMS)


def test_only_test_images_are_an_error(root):
    for part in PARTS:
        for side in ("train", "val"):
            shutil.rmtree(root / part / side)
    with pytest.raises(SegError, match="no images in train or val"):
        samples(root, PARAMS)


def test_train_ids_are_told_by_their_name_in_any_case(root):
    for file in root.glob("gtFine/*/*/*_labelIds.png"):
        file.unlink()
    for image in root.glob("leftImg8bit/*/*/*.png"):
        name = image.name.replace("_leftImg8bit.png", "_gtFine_labeltrainids.png")
        save(root / "gtFine" / image.parent.relative_to(root / "leftImg8bit") / name, np.full((40, 48), 13, np.uint8))
    assert {int(value) for sample in samples(root, PARAMS) for value in np.unique(sample.mask())} == {14}
