import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from seglib.augment import Augmenter
from seglib.augment_sheet import GAP, SHEET, SIDE, sheet, write_sheet
from seglib.cli import main
from seglib.config import read_params
from seglib.errors import SegError
from seglib.io.cache import pack_shard
from seglib.io.images import read_image
from seglib.io.sample import IGNORE
from seglib.loading import CachedSamples
from seglib.overlays import Palette
from seglib.sections.augment import preset
from seglib.volume_augment import VolumeAugmenter
from tests.project import REPOSITORY

PALETTE = Palette([(0, 0, 0), (250, 0, 0)])
MIRROR = Augmenter([{"HorizontalFlip": {"p": 1.0}}])


def tensors(shape=(SIDE, SIDE), channels=3):
    """A plain grey picture whose left quarter is foreground."""
    mask = torch.zeros(shape, dtype=torch.uint8)
    mask[..., : shape[-1] // 4] = 1
    return {"image": torch.full((channels, *shape), 90, dtype=torch.uint8), "mask": mask}


def cells(picture):
    """The picture's squares, row by row."""
    step = SIDE + GAP
    rows, columns = (picture.shape[0] + GAP) // step, (picture.shape[1] + GAP) // step
    assert picture.shape == (rows * step - GAP, columns * step - GAP, 3)
    starts = [(row * step, column * step) for row in range(rows) for column in range(columns)]
    return np.array([picture[y : y + SIDE, x : x + SIDE] for y, x in starts]).reshape(rows, columns, SIDE, SIDE, 3)


def red(cell):
    return cell[..., 0].astype(int) - cell[..., 1] > 60


def test_the_original_comes_first_and_masks_follow_the_augmentation():
    samples = CachedSamples({"a": tensors(), "b": tensors()}, ["a", "b"], 0, MIRROR)
    drawn = cells(sheet(samples, [0, 1], 3, PALETTE))
    assert drawn.shape[:2] == (2, 4)
    for row in drawn:
        assert red(row[0])[:, : SIDE // 4].all()
        assert not red(row[0])[:, SIDE // 4 :].any()
        for cell in row[1:]:
            np.testing.assert_array_equal(red(cell), red(row[0])[:, ::-1])


def test_the_draws_are_those_of_the_epochs_of_training():
    seen = []

    def remember(image, mask, seed):
        seen.append(seed)
        return image, mask

    cache = {name: tensors() for name in "abc"}
    sheet(CachedSamples(cache, list(cache), 7, remember), [2, 0], 2, PALETTE)
    shown, seen = seen, []
    training = CachedSamples(cache, list(cache), 7, remember)
    for place in (2, 0):
        for epoch in (1, 2):
            training[epoch, place]
    assert shown == seen
    assert len(set(shown)) == 4


def test_ignored_pixels_are_grey_and_pictures_of_any_shape_stand_in_the_middle():
    tall = tensors((2 * SIDE, SIDE))
    tall["mask"][:] = IGNORE
    ((original, draw),) = cells(sheet(CachedSamples({"a": tall}, ["a"], 0, MIRROR), [0], 1, PALETTE))
    for cell in (original, draw):
        assert (cell[:, : SIDE // 4] == 255).all()
        assert (cell[:, -SIDE // 4 :] == 255).all()
        assert (abs(cell[:, SIDE // 2].astype(int) - (90 * 0.55 + 128 * 0.45)) <= 1).all()


def test_of_volumes_the_slice_with_most_foreground_is_shown():
    volume = tensors((8, 16, 16), 1)
    volume["mask"][:5] = 0
    volume["mask"][6, :, 8:] = 1
    augmenter = VolumeAugmenter([{"RandFlip": {"prob": 1.0, "spatial_axis": 2}}])
    ((original, draw),) = cells(sheet(CachedSamples({"a": volume}, ["a"], 0, augmenter), [0], 1, PALETTE))
    shares = [red(cell).mean(0) for cell in (original, draw)]
    assert shares[0].mean() == pytest.approx(0.75)
    np.testing.assert_array_equal(shares[1], shares[0][::-1])


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Cache, index and split of seven samples beside the committed parameters."""
    for name in ("params.yaml", "versions.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("data/cache").mkdir(parents=True)
    ids = [f"case{i}" for i in range(7)]
    Path("data/cache/shard-000.pt").write_bytes(pack_shard({name: tensors((40, 60), 1) for name in ids}))
    classes = [{"name": "background", "colour": [0, 0, 0]}, {"name": "thing", "colour": [250, 0, 0]}]
    dataset = {"name": "mine", "classes": classes, "channels": 1, "modality": "mri", "overlapping": False}
    facts = [
        {"id": name, "group": name, "shape": [40, 60], "pixels": [1800, 600], "ignored": 0}
        | {"dtype": "uint8", "fingerprint": name}
        for name in ids
    ]
    Path("data/index.json").write_text(json.dumps({"dataset": dataset, "samples": facts}))
    Path("data/split.json").write_text(json.dumps({"train": ids[:5], "val": ids[5:6], "test": ids[6:]}))


@pytest.mark.parametrize(("samples", "rows"), [(1, ["case0"]), (3, ["case0", "case2", "case4"]), (9, 5)])
def test_rows_are_spread_over_the_training_side(project, samples, rows):
    found = write_sheet(read_params(), samples, 2)
    assert found == (rows if isinstance(rows, list) else [f"case{i}" for i in range(rows)])
    assert cells(read_image(SHEET)).shape[:2] == (len(found), 3)


def test_the_command_names_columns_and_rows(project, capsys):
    main(["augment", "--samples", "2", "--draws", "4"])
    said = capsys.readouterr().out
    assert said == "reports/augment.png: columns are the original and epochs 1 to 4; rows are\n  case0\n  case4\n"
    drawn = cells(read_image(SHEET))
    assert drawn.shape[:2] == (2, 5)
    entries = preset(read_params(), "mri")
    assert entries, "the default augments"
    assert any((drawn[0, 0] != cell).any() for cell in drawn[0, 1:])


@pytest.mark.parametrize("absent", ["data/cache", "data/split.json", "data/index.json"])
def test_without_cache_or_split_the_command_says_what_to_run(project, absent, capsys):
    Path(absent).rename("elsewhere")
    with pytest.raises(SystemExit):
        main(["augment"])
    assert capsys.readouterr().err == f"error: seg augment: {absent} not found; run `dvc repro split` first\n"
    assert not SHEET.exists()


@pytest.mark.parametrize("arguments", [("--samples", "0"), ("--draws", "-1")])
def test_nothing_to_draw_is_refused(project, arguments, capsys):
    with pytest.raises(SystemExit):
        main(["augment", *arguments])
    assert "both must be at least 1" in capsys.readouterr().err


def test_a_preset_for_volumes_is_refused_on_images(project):
    params = read_params()
    params["augment"]["name"] = "volume"
    with pytest.raises(SegError, match="RandFlip, RandAffine, RandAdjustContrast and 3 more, made for volumes"):
        write_sheet(params, 1, 1)
