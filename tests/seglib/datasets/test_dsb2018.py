import shutil
from pathlib import Path

import numpy as np
import pytest

from seglib.datasets.dsb2018 import PUBLISHED, Params, samples, spec
from seglib.errors import SegError
from seglib.io.archive import open_source
from seglib.io.sample import Kaggle
from tests.layouts import disc, save
from tests.layouts.dsb2018 import SIZES, build

PARAMS = Params()


@pytest.fixture
def root(tmp_path):
    build(tmp_path)
    return tmp_path


def first(root):
    return min((root / "stage1_train").iterdir())


def content(root):
    return [(s.id, s.group, s.fingerprint(), s.facts, s.mask().tobytes()) for s in samples(root, PARAMS)]


def test_it_is_a_competition():
    assert Kaggle("competition", "data-science-bowl-2018") == PUBLISHED


def test_nuclei_are_merged_and_counted(root):
    for sample in samples(root, PARAMS):
        image, mask = sample.read(spec(root, PARAMS))
        files = sorted((root / "stage1_train" / sample.id / "masks").iterdir())
        assert image.shape == (*mask.shape, 3)
        assert mask.shape in SIZES
        assert np.unique(mask).tolist() == [0, 1]
        assert sample.facts == {"nuclei": len(files)}
    assert {s.facts["nuclei"] for s in samples(root, PARAMS)} == {2, 3}


def test_every_image_is_its_own_group(root):
    found = samples(root, PARAMS)
    assert [s.id for s in found] == sorted(s.id for s in found)
    assert all(s.group == s.id and s.side is None for s in found)


def test_the_colours_lose_their_alpha_only(tmp_path):
    image, mask = disc(3)
    folder = tmp_path / "stage1_train/abc"
    save(folder / "images/abc.png", np.dstack([image, np.full(mask.shape, 255, np.uint8)]))
    save(folder / "masks/n.png", mask * 255)
    assert np.array_equal(samples(tmp_path, PARAMS)[0].image(), image)


def test_packed_unpacked_nested_and_stripped_are_the_same(root, tmp_path_factory):
    plain = content(root)
    assert content(root / "stage1_train") == plain
    # the real stage1_train.zip holds the images' folders at its top
    packed = shutil.make_archive(str(root / "stage1_train"), "zip", root / "stage1_train")
    shutil.rmtree(root / "stage1_train")
    assert content(root) == plain
    assert content(open_source(Path(packed))) == plain
    outer = shutil.make_archive(str(tmp_path_factory.mktemp("outer") / "dsb"), "zip", root)
    assert content(open_source(Path(outer))) == plain


def test_a_changed_or_further_mask_changes_the_fingerprint(root):
    before = samples(root, PARAMS)[0].fingerprint()
    save(first(root) / "masks/zzz.png", disc(9, *SIZES[0])[1] * 255)
    added = samples(root, PARAMS)[0].fingerprint()
    save(first(root) / "masks/zzz.png", disc(8, *SIZES[0])[1] * 255)
    assert len({before, added, samples(root, PARAMS)[0].fingerprint()}) == 3


def test_a_mask_of_another_size_is_named_with_its_image(root):
    save(first(root) / "masks/zzz.png", disc(9, 30, 31)[1] * 255)
    sample = samples(root, PARAMS)[0]
    with pytest.raises(SegError, match=rf"zzz\.png: has 31×30 pixels, its image .*{sample.id}\.png"):
        sample.mask()


def test_a_mask_with_other_values_is_named(root):
    save(first(root) / "masks/zzz.png", disc(9, 40, 48)[1] * 7)
    with pytest.raises(SegError, match=r"zzz\.png"):
        samples(root, PARAMS)[0].mask()


def test_an_image_without_masks_is_named(root):
    shutil.rmtree(first(root) / "masks")
    with pytest.raises(SegError, match=rf"{first(root).name}\.png: no PNG masks"):
        samples(root, PARAMS)


@pytest.mark.parametrize("number", [0, 2])
def test_no_image_or_several_are_an_error(root, number):
    folder = first(root) / "images"
    shutil.rmtree(folder)
    folder.mkdir()
    for i in range(number):
        save(folder / f"{i}.png", disc(i)[0])
    with pytest.raises(SegError, match=f"expected one PNG image, found {number}"):
        samples(root, PARAMS)


def test_another_layout_says_what_was_found(tmp_path):
    (tmp_path / "stage1_test").mkdir()
    with pytest.raises(SegError, match=r"expected stage1_train.*found stage1_test"):
        samples(tmp_path, PARAMS)


def test_an_empty_folder_is_an_error(tmp_path):
    (tmp_path / "stage1_train").mkdir()
    with pytest.raises(SegError, match="no folders <id>/images"):
        samples(tmp_path, PARAMS)


def test_the_published_archive(real_data):
    root = open_source(real_data / "data-science-bowl-2018.zip")
    found = samples(root, PARAMS)
    assert len(found) == 203
    assert sum(int(s.facts["nuclei"]) for s in found) == 8780
    sizes = set()
    for sample in found[::8]:
        image, mask = sample.read(spec(root, PARAMS))
        sizes.add(image.shape)
        assert np.unique(mask).tolist() == [0, 1]
    assert len(sizes) > 2
