import shutil
from pathlib import Path

import numpy as np
import pytest

from seglib.datasets.kvasir import Params, samples, spec
from seglib.errors import SegError
from seglib.io.archive import open_source
from tests.layouts import disc
from tests.layouts.kvasir import IDS, build, build_kaggle

PARAMS = Params(threshold=127)
TRAIN, VAL = IDS[:7], IDS[7:9]


@pytest.fixture
def root(tmp_path):
    build(tmp_path)
    return tmp_path


def sides(root):
    return {s.id: s.side for s in samples(root, PARAMS)}


def content(root):
    return [(s.id, s.group, s.side, s.fingerprint(), s.mask().tobytes()) for s in samples(root, PARAMS)]


def write_lists(folder, train=TRAIN, val=VAL, line="{}"):
    for name, ids in (("train", train), ("val", val)):
        (folder / f"{name}.txt").write_text("".join(line.format(i) + "\n" for i in ids))


EXPECTED = {**dict.fromkeys(IDS), **dict.fromkeys(TRAIN, "train"), **dict.fromkeys(VAL, "val")}


def test_grey_edges_are_cut_at_the_threshold(root):
    for i, sample in enumerate(samples(root, PARAMS)):
        image, mask = sample.read(spec(root, PARAMS))
        assert image.shape == (40, 48, 3)
        assert np.unique(mask).tolist() == [0, 1]
        assert (mask != disc(i)[1]).mean() < 0.01


def test_without_lists_no_side_is_known(root):
    assert sides(root) == dict.fromkeys(IDS)


def test_the_kaggle_copy_is_the_same(root, tmp_path_factory):
    other = tmp_path_factory.mktemp("kaggle")
    build_kaggle(other)
    assert content(other) == content(root)


def test_an_archive_and_a_stripped_folder_are_the_same(root, tmp_path_factory):
    write_lists(root / "Kvasir-SEG")
    packed = shutil.make_archive(str(tmp_path_factory.mktemp("zip") / "kvasir"), "zip", root)
    plain = content(root)
    assert content(open_source(Path(packed))) == plain
    assert content(root / "Kvasir-SEG") == plain


@pytest.mark.parametrize("where", ["", "Kvasir-SEG"])
@pytest.mark.parametrize(
    "line", ["{}", "{}.jpg", "Kvasir-SEG/images/{}.jpg", "images\\{}.JPG", "  {}  \n", "./{}.png\r"]
)
def test_official_lists_set_the_side(root, where, line):
    write_lists(root / where, line=line)
    assert sides(root) == EXPECTED


def test_a_byte_order_mark_is_no_part_of_an_id(root):
    (root / "train.txt").write_bytes(b"\xef\xbb\xbf" + "\n".join(TRAIN).encode())
    assert [i for i, side in sides(root).items() if side] == list(TRAIN)


def test_the_list_beside_the_images_counts_first(root):
    write_lists(root, train=IDS)
    write_lists(root / "Kvasir-SEG")
    assert sides(root) == EXPECTED


def test_an_id_in_both_lists_is_named(root):
    write_lists(root, val=(*VAL, TRAIN[2]))
    with pytest.raises(SegError, match=rf"{TRAIN[2]}: both in .*train\.txt and in .*val\.txt"):
        samples(root, PARAMS)


def test_a_listed_id_without_image_is_named(root):
    write_lists(root, val=(*VAL, "cju0missing"))
    with pytest.raises(SegError, match=r"val\.txt: no image for cju0missing"):
        samples(root, PARAMS)


def test_a_list_that_is_no_text_is_named(root):
    (root / "train.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SegError, match=r"train\.txt: is no UTF-8"):
        samples(root, PARAMS)


def test_lists_do_not_change_a_fingerprint(root):
    before = [s.fingerprint() for s in samples(root, PARAMS)]
    write_lists(root)
    assert [s.fingerprint() for s in samples(root, PARAMS)] == before


def test_the_published_archive(real_data):
    root = open_source(real_data / "kvasir-seg.zip")
    found = samples(root, PARAMS)
    assert len(found) == 697
    assert spec(root, PARAMS).modality == "endoscopy"
    for sample in found[::70]:
        image, mask = sample.read(spec(root, PARAMS))
        assert image.shape == (352, 352, 3)
        assert np.unique(mask).tolist() == [0, 1]
