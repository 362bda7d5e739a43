"""Every data set: from its published layout to samples, the same from a folder and from an archive."""

import importlib
import json
import re
import shutil
from collections import Counter
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

from seglib import datasets, plugins
from seglib.config import parse, read_params
from seglib.facts import sample_facts
from seglib.io.archive import open_source
from seglib.io.sample import IGNORE, Embedded, Generated, Kaggle, Published
from seglib.source import read_source

NAMES = plugins.names(datasets)
OWN_FILES = [name for name in NAMES if (Path(__file__).parent.parent / "layouts" / f"{name}.py").exists()]


LISTS = (".txt", ".csv", ".db")
"""Files that hold nothing of one sample: lists, and what systems leave behind."""
ANNOTATED = ("coco", "labelme")
"""Data sets whose masks, and perhaps images, stand in annotation files, so that one file may be all of a sample."""
FIRST_POINT = re.compile(rb'("(?:points|segmentation)":\s*\[[\s\[]*)([\d.]+)')


class DataSet:
    """A small data set in its published layout."""

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.plugin = name, plugins.load(datasets, name)
        layout = importlib.import_module(f"tests.layouts.{name}")
        self.options = parse(self.plugin.Params, layout.build(root), f"data.{name}")
        self.root = root

    def spec(self, place: Path | None = None):
        return self.plugin.spec(open_source(place or self.root), self.options)

    def samples(self, place: Path | None = None):
        return self.plugin.samples(open_source(place or self.root), self.options)


@pytest.fixture(scope="module", params=OWN_FILES)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return DataSet(request.param, tmp_path_factory.mktemp(request.param) / "data")


def known(samples):
    return [(s.id, s.group, s.side, s.spacing, s.volume, dict(s.facts), s.fingerprint()) for s in samples]


def test_every_data_set_that_is_read_from_files_has_a_layout():
    others = [name for name in NAMES if name not in OWN_FILES]
    kinds = {type(plugins.load(datasets, name).PUBLISHED) for name in others}
    assert kinds <= {Embedded, Generated}, f"tests/layouts lacks one of {others}"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OWN_FILES])
def test_a_built_in_data_set_can_be_read(name, tmp_path):
    plugin = plugins.load(datasets, name)
    for inside in getattr(plugin.PUBLISHED, "files", ()):
        installed = distribution(plugin.PUBLISHED.distribution).locate_file(inside)
        shutil.copy(str(installed), tmp_path)
    options = plugins.options(plugin, read_params())
    spec, samples = plugin.spec(tmp_path, options), plugin.samples(tmp_path, options)
    assert [sample.id for sample in samples] == sorted({sample.id for sample in samples})
    assert len({sample.group for sample in samples}) >= 3
    masks = [sample.read(spec)[1] for sample in samples]
    assert np.unique(np.stack(masks)).tolist() == list(range(len(spec.classes)))
    assert known(samples) == known(plugin.samples(tmp_path, options))


@pytest.mark.parametrize("name", NAMES)
def test_source_is_of_a_known_kind(name):
    published = plugins.load(datasets, name).PUBLISHED
    assert published is None or isinstance(published, Published | Kaggle | Embedded | Generated)


def test_samples_are_named_once_and_in_order(dataset):
    ids = [sample.id for sample in dataset.samples()]
    assert ids == sorted(set(ids))
    assert ids
    assert all("/" not in i and "\\" not in i and i.strip() == i and i for i in ids)
    assert len({sample.group for sample in dataset.samples()}) >= 3


def test_samples_can_be_read_and_show_foreground(dataset):
    spec = dataset.spec()
    assert spec.licence
    assert len({entry.name for entry in spec.classes}) == len(spec.classes) >= 2
    for sample in dataset.samples():
        image, mask = sample.read(spec)
        assert image.shape == (*mask.shape, spec.channels)
        assert sample.spacing is None or len(sample.spacing) == mask.ndim
        assert sample.side in (None, "train", "val", "test")
        facts = sample_facts(sample, sample.fingerprint(), image, mask, spec, None)
        json.dumps(facts)
    assert any(((mask > 0) & (mask != IGNORE)).any() for mask in (s.read(spec)[1] for s in dataset.samples()))


def test_an_archive_gives_the_same_samples_as_the_folder(dataset, tmp_path):
    folder = known(dataset.samples())
    for kind in ("zip", "tar", "gztar"):
        packed = Path(shutil.make_archive(str(tmp_path / "packed"), kind, dataset.root))
        assert known(dataset.samples(packed)) == folder
        assert dataset.spec(packed) == dataset.spec()
    spec = dataset.spec()
    for one, other in zip(dataset.samples(), dataset.samples(packed), strict=True):
        for first, second in zip(one.read(spec), other.read(spec), strict=True):
            np.testing.assert_array_equal(first, second)


def test_a_folder_around_it_changes_nothing(dataset, tmp_path):
    shutil.copytree(dataset.root, tmp_path / "above" / "published")
    assert known(dataset.samples(tmp_path / "above")) == known(dataset.samples())


def test_what_operating_systems_leave_behind_changes_nothing(dataset, tmp_path):
    littered = Path(shutil.copytree(dataset.root, tmp_path / "littered"))
    for folder in [littered, *(place for place in littered.rglob("*") if place.is_dir())]:
        (folder / ".DS_Store").write_bytes(b"\0")
        (folder / "Thumbs.db").write_bytes(b"\0")
        (folder / "__MACOSX").mkdir()
    assert known(dataset.samples(littered)) == known(dataset.samples())


def altered(file: Path) -> bytes:
    """The content with one byte more, or of annotations with the first point of each outline moved."""
    if file.suffix == ".json":
        return FIRST_POINT.sub(lambda found: found[1] + str(float(found[2]) + 1).encode(), file.read_bytes())
    return file.read_bytes() + b"\0"


def test_changed_files_change_the_fingerprints_of_their_own_samples_only(dataset, tmp_path):
    copy = Path(shutil.copytree(dataset.root, tmp_path / "copy"))
    before = {sample.id: sample.fingerprint() for sample in dataset.samples()}
    assert before == {sample.id: sample.fingerprint() for sample in dataset.samples(copy)}
    noticed, kinds = Counter(), set()
    for file in (file for file in sorted(copy.rglob("*")) if file.is_file() and file.suffix.lower() not in LISTS):
        content = file.read_bytes()
        file.write_bytes(altered(file))
        after = {sample.id: sample.fingerprint() for sample in dataset.samples(copy)}
        file.write_bytes(content)
        changed = [name for name in before if before[name] != after[name]]
        assert len(changed) < len(before), file
        noticed.update(changed)
        kinds |= {file.suffix} if changed else set()
    files = 1 if dataset.name in ANNOTATED else 2
    assert {name: noticed[name] for name in before if noticed[name] < files} == {}
    assert (".json" in kinds) == (dataset.name in ANNOTATED)


def test_selected_by_name_it_is_what_the_stages_read(dataset, monkeypatch):
    params = read_params()
    params["data"] |= {"name": dataset.name, "path": str(dataset.root), dataset.name: dataset.options.model_dump()}
    assert [sample.id for sample in read_source(params).samples] == [sample.id for sample in dataset.samples()]
