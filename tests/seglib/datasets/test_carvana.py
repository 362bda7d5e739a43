import shutil

import numpy as np
import pytest

from seglib.datasets.carvana import PUBLISHED, Params, samples, spec
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import Kaggle
from tests.layouts import disc, save
from tests.layouts.carvana import CARS, build, save_palette

PARAMS = Params()


@pytest.fixture
def root(tmp_path):
    build(tmp_path)
    return tmp_path


def content(root):
    return [(s.id, s.group, s.side, s.fingerprint(), s.mask().tobytes()) for s in samples(root, PARAMS)]


def nest(root):
    for name in ("train", "train_masks"):
        shutil.make_archive(str(root / name), "zip", root, name)
        shutil.rmtree(root / name)


def test_it_is_a_competition():
    assert Kaggle("competition", "carvana-image-masking-challenge") == PUBLISHED


def test_the_views_of_a_car_are_a_group(root):
    found = samples(root, PARAMS)
    assert {s.group for s in found} == set(CARS)
    assert [s.id for s in found] == sorted(s.id for s in found)
    assert all(s.id.startswith(s.group + "_") and s.side is None for s in found)


def test_the_palette_index_is_the_class(root):
    car = disc(int(CARS[0][:5], 16) + 1)[1]
    sample = next(s for s in samples(root, PARAMS) if s.id == f"{CARS[0]}_01")
    image, mask = sample.read(spec(root, PARAMS))
    assert image.shape == (40, 48, 3)
    assert np.array_equal(mask, car)


def test_packed_unpacked_and_nested_are_the_same(root, tmp_path_factory):
    plain = content(root)
    nest(root)
    assert content(root) == plain
    (root / "test.zip").write_bytes(b"never opened")
    outer = shutil.make_archive(str(tmp_path_factory.mktemp("outer") / "carvana"), "zip", root)
    assert content(open_source(type(root)(outer))) == plain


def test_a_folder_unpacked_into_one_of_its_own_name(root):
    plain = content(root)
    (root / "train").rename(root / "inner")
    (root / "train").mkdir()
    (root / "inner").rename(root / "train/train")
    assert content(root) == plain


def test_what_systems_leave_behind_is_skipped(root):
    plain = content(root)
    for name in ("train/._a_01.jpg", "train/Thumbs.db", "train_masks/.DS_Store"):
        (root / name).write_bytes(b"")
    assert content(root) == plain


def test_a_lone_image_or_mask_is_named(root):
    (root / "train" / f"{CARS[0]}_01.jpg").unlink()
    (root / "train_masks" / f"{CARS[1]}_05_mask.gif").unlink()
    with pytest.raises(SegError, match=rf"(?s)without mask: .*{CARS[1]}_05\.jpg.*without image: .*{CARS[0]}_01_mask"):
        samples(root, PARAMS)


def test_names_that_differ_in_the_ending_only_are_an_error(root):
    shutil.copy(root / "train" / f"{CARS[0]}_01.jpg", root / "train" / f"{CARS[0]}_01.JPG")
    with pytest.raises(SegError, match=rf"two files for '{CARS[0]}_01'"):
        samples(root, PARAMS)


def test_a_name_without_a_view_is_named(root):
    image, mask = disc(1)
    save(root / "train/holiday.jpg", image)
    save_palette(root / "train_masks/holiday_mask.gif", mask)
    with pytest.raises(SegError, match=r"<car>_<view>\.jpg: holiday;"):
        samples(root, PARAMS)


def test_an_unknown_index_is_an_error(root):
    mask = disc(1)[1]
    mask[0, 0] = 2
    save_palette(root / "train_masks" / f"{CARS[0]}_01_mask.gif", mask)
    sample = next(s for s in samples(root, PARAMS) if s.id == f"{CARS[0]}_01")
    with pytest.raises(SegError, match=rf"{CARS[0]}_01_mask\.gif.* 2 "):
        sample.mask()


def test_another_layout_says_what_was_found(tmp_path):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(SegError, match=r"expected train and train_masks.*found holiday"):
        samples(tmp_path, PARAMS)


def test_empty_folders_are_an_error(tmp_path):
    for name in ("train", "train_masks"):
        (tmp_path / name).mkdir()
    with pytest.raises(SegError, match="no images named"):
        samples(tmp_path, PARAMS)


def test_the_published_archive(real_data):
    root = open_source(real_data / "carvana-image-masking-challenge.zip")
    found = samples(root, PARAMS)
    assert (len(found), len({s.group for s in found})) == (40, 10)
    image, mask = found[0].read(spec(root, PARAMS))
    assert image.shape == (1280, 1918, 3)
    assert np.unique(mask).tolist() == [0, 1]
    assert 0.1 < mask.mean() < 0.5
