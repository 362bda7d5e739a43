import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from seglib.datasets.camvid import Params, samples, spec
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import IGNORE
from tests.layouts.camvid import FRAMES, build

PARAMS = Params()
SIDES = {frame: side for side, frames in FRAMES.items() for frame in frames}


@pytest.fixture
def root(tmp_path):
    build(tmp_path)
    return tmp_path


@pytest.fixture
def camvid(root):
    return root / "CamVid"


def content(root):
    return [(s.id, s.group, s.side, s.fingerprint(), s.mask().tobytes()) for s in samples(root, PARAMS)]


def test_the_official_sides_and_the_drives(root):
    found = samples(root, PARAMS)
    assert {s.id: s.side for s in found} == SIDES
    assert [s.id for s in found] == sorted(SIDES)
    assert {s.group for s in found} == {"0001TP", "0006R0", "0016E5", "Seq05VD"}


def test_classes_move_up_by_one_and_void_is_ignored(root, camvid):
    for sample in samples(root, PARAMS):
        _, mask = sample.read(spec(root, PARAMS))
        file = camvid / f"{sample.side}annot" / f"{sample.id}.png"
        stored = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert stored is not None
        assert np.array_equal(mask, np.where(stored == 11, IGNORE, stored + 1))


def test_the_empty_class_stands_first(root):
    names = [entry.name for entry in spec(root, PARAMS).classes]
    assert names[:3] == ["void", "sky", "building"]
    assert names[9] == "car"
    assert len(names) == 12


def test_an_archive_and_a_stripped_folder_are_the_same(root, camvid, tmp_path_factory):
    packed = shutil.make_archive(str(tmp_path_factory.mktemp("zip") / "camvid"), "zip", root)
    plain = content(root)
    assert content(open_source(Path(packed))) == plain
    assert content(camvid) == plain


def test_without_lists_the_folders_count(root, camvid):
    plain = content(root)
    for side in FRAMES:
        (camvid / f"{side}.txt").unlink()
    assert content(root) == plain


def test_a_list_may_name_fewer(root, camvid):
    lines = (camvid / "train.txt").read_text().splitlines()
    (camvid / "train.txt").write_text("\r\n".join(lines[:2]))
    assert Counter(s.side for s in samples(root, PARAMS)) == {"train": 2, "val": 2, "test": 3}


@pytest.mark.parametrize("folder", ["val", "valannot"])
def test_a_listed_file_that_is_missing_is_named(root, camvid, folder):
    (camvid / folder / "0016E5_07961.png").unlink()
    with pytest.raises(SegError, match=rf"val\.txt: listed but missing: .*/{folder}/0016E5_07961\.png;"):
        samples(root, PARAMS)


@pytest.mark.parametrize("line", ["/SegNet/CamVid/val/a.png", "a.png b.png", "x/../a.png val/../a.png", "a/b c/d e/f"])
def test_a_line_that_is_no_pair_is_named(root, camvid, line):
    (camvid / "val.txt").write_text(line + "\n")
    with pytest.raises(SegError, match=r"val\.txt: '.*' is not the path of an image and that of its mask"):
        samples(root, PARAMS)


def test_a_frame_on_two_sides_is_named(root, camvid):
    with (camvid / "val.txt").open("a") as table:
        table.write("/SegNet/CamVid/train/0001TP_006690.png /SegNet/CamVid/trainannot/0001TP_006690.png\n")
    with pytest.raises(SegError, match="0001TP_006690: stands twice"):
        samples(root, PARAMS)


def test_without_a_list_a_lone_frame_is_named(root, camvid):
    (camvid / "val.txt").unlink()
    (camvid / "valannot/0016E5_07961.png").unlink()
    with pytest.raises(SegError, match=r"without mask: .*val/0016E5_07961\.png"):
        samples(root, PARAMS)


def test_another_index_is_an_error(root, camvid):
    cv2.imwrite(str(camvid / "valannot/0016E5_07961.png"), np.full((40, 48), 12, np.uint8))
    sample = next(s for s in samples(root, PARAMS) if s.id == "0016E5_07961")
    with pytest.raises(SegError, match=r"valannot/0016E5_07961\.png.* 12 "):
        sample.mask()


def test_empty_folders_are_an_error(tmp_path):
    for name in ("train", "trainannot"):
        (tmp_path / name).mkdir()
    with pytest.raises(SegError, match="no frames"):
        samples(tmp_path, PARAMS)


def test_the_published_archive(real_data):
    root = open_source(real_data / "CamVid.zip")
    found = samples(root, PARAMS)
    assert Counter(s.side for s in found) == {"train": 62, "val": 17, "test": 39}
    seen: set[int] = set()
    for sample in found[::4]:
        image, mask = sample.read(spec(root, PARAMS))
        assert image.shape == (360, 480, 3)
        seen |= set(np.unique(mask).tolist())
    assert seen == {*range(1, 12), IGNORE}
