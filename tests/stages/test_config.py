import copy
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

import stages.config
from seglib.config import read_yaml
from seglib.errors import SegError
from seglib.paths import CONFIG, PARAMS
from tests.project import REPOSITORY

DEFAULTS = read_yaml(REPOSITORY / PARAMS)
KEYS = st.text(max_size=6) | st.sampled_from(["name", "size", "unet", "path", "classes"]) | st.integers()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


@contextmanager
def folder_of(params: object) -> Iterator[Path]:
    """A current folder with nothing but this `params.yaml`."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            with PARAMS.open("w") as file:
                YAML(typ="safe", pure=True).dump(params, file)
            yield Path(folder)
        finally:
            os.chdir(before)


def changed(values: dict[str, Any]) -> dict[str, Any]:
    """The defaults with dotted keys set; `...` deletes a key."""
    params = copy.deepcopy(DEFAULTS)
    for key, value in values.items():
        *parents, last = key.split(".")
        section = params
        for parent in parents:
            section = section[parent]
        if value is ...:
            del section[last]
        else:
            section[last] = value
    return params


def refused(values: dict[str, Any]) -> str:
    with folder_of(changed(values)), pytest.raises(SegError) as caught:
        stages.config.main()
    return str(caught.value)


def places(params: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = params.items() if isinstance(params, dict) else enumerate(params) if isinstance(params, list) else ()
    return [place, *(inner for key, value in items for inner in places(value, (*place, key)))]


PLACES = [place for place in places(DEFAULTS) if place]


def test_the_defaults_are_valid():
    with folder_of(DEFAULTS):
        stages.config.main()
        assert CONFIG.read_text() == "params.yaml is valid\n"


def test_every_problem_of_every_section_is_told_at_once():
    told = refused(
        {
            "data.name": "kvasyr",
            "data.sha256": "abc",
            "data.mni152.slab": 0,
            "preprocess.image_size": "large",
            "preprocess.shard": 4,
            "split.val": 1.5,
            "augment.name": "mry",
            "model.name": "unett",
            "model.unet.chanels": [4, 8],
            "loss.dice_ce.ce_weight": -1,
            "optimizer.name": "lion",
            "scheduler.cosine.final": ...,
            "train.lr": "fast",
            "train.early_stopping.patience": 1.5,
            "evaluate.overlays": ...,
            "trian": {},
        }
    )
    for part in (
        "params.yaml has 16 problems",
        "data.name: no 'kvasyr'; did you mean 'kvasir'?",
        "data.sha256: String should match pattern",
        "data.mni152.slab: Input should be greater than or equal to 1 (found 0)",
        "preprocess.image_size: must be a side of 8 to 8192 pixels, [height, width], or a scale",
        "preprocess.shard: unknown parameter; did you mean 'shards'?",
        "split.val: Input should be less than 1 (found 1.5)",
        "augment.name: no preset 'mry'; did you mean 'mri'?",
        "model.name: no 'unett'; did you mean 'unet'?",
        "model.unet.chanels: unknown parameter; did you mean 'channels'?",
        "loss.dice_ce.ce_weight: Input should be greater than or equal to 0 (found -1)",
        "optimizer.name: Input should be 'adam', 'adamw' or 'sgd' (found 'lion')",
        "scheduler.cosine.final: missing",
        "train.lr: Input should be a valid number (found 'fast')",
        "train.early_stopping.patience: Input should be a valid integer",
        "evaluate.overlays: missing",
        "trian: unknown section; did you mean 'train'?",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("data.path", "relative/dir", "data.path: must be absolute; write {here}/relative/dir"),
        ("data.path", "~/images", "data.path: must be absolute; write {home}/images"),
        ("data.path", "~nosuchuser/images", "data.path: must be absolute"),
        ("data.path", "", "data.path: must be data/published (nothing local) or an absolute path"),
        ("data.path", None, "data.path: Input should be a valid string (found None)"),
        ("data.path", "/a\0b", "data.path: must not hold a NUL character"),
        ("data.path", "/nowhere/at/all", "data.path: /nowhere/at/all does not exist"),
        ("data.path", "/" + "x" * 300, "does not exist, or may not be read"),
        ("data.path", ..., "data.path: missing"),
        ("data.url", "ftp://host/x.zip", "data.url: must be an http(s) address"),
        ("data.url", "/data/x.zip", "a local file goes into data.path"),
        ("data.url", "http://[", "data.url: Invalid IPv6 URL"),
        ("data.name", "folder", "data.path: 'folder' has no published source"),
        ("data.foo", [1], "data.foo: unknown parameter"),
        ("data.folders", {"channels": 3}, "data.folders: options of an unknown plug-in; did you mean 'folder'?"),
        ("data.folders", None, "data.folders: options of an unknown plug-in; did you mean 'folder'?"),
        (
            "data.folder.classes",
            [{"name": "a", "value": 0}, {"name": "b", "value": 0}],
            "classes: two have the same value",
        ),
        (
            "data.folder.classes",
            [{"name": "a", "value": 0}, {"name": "b", "value": 256}],
            "data.folder.classes.1.value: Input should be less",
        ),
        ("preprocess.image_size", [64, 64, 3], "(found [64, 64, 3])"),
        ("split", DEFAULTS["split"] | {"val": 0.5, "test": 0.5}, "split: val + test must stay below 1, found 1"),
        ("split", ..., "split: missing section"),
        ("split", None, "split: must hold `key: value` lines (found None)"),
        ("augment.mri", {"HorizontalFlip": {}}, "augment.mri: must be a list of transforms"),
        ("augment.other", ["HorizontalFlip"], "augment.other[0]: must read `Transform: {{option: value}}`"),
        ("augment.name", "name", "augment.name: no preset 'name'"),
        ("model.unet", None, "model.unet: must hold `key: value` lines (found None)"),
        ("model.unet.strides", [2], "4 channels need 3 strides"),
        ("optimizer.betas", [0.9, 0.99], "optimizer.betas: unknown parameter"),
        ("optimizer.adam", {"eps": 1}, "optimizer.adam: unknown parameter"),
        ("train.seed", True, "train.seed: Input should be a valid integer (found True)"),
        ("train.lr", float("nan"), "train.lr: Input should be a finite number (found nan)"),
        ("train.device", "gpu", "train.device: Input should be 'auto', 'cpu' or 'cuda' (found 'gpu')"),
        ("model.unet.size", 3, "model.unet.size: DVC's run cache ignores this key; name it otherwise"),
        ("augment.crop", [{"Crop": {"nfiles": 1}}], "augment.crop[0].Crop.nfiles: DVC's run cache ignores this key"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(key, value, said):
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", home)
        with folder_of(changed({key: value})) as here, pytest.raises(SegError) as caught:
            stages.config.main()
        assert said.format(here=here.resolve(), home=Path(home).resolve()) in str(caught.value)


def test_a_mirror_and_an_own_file_are_too_much(tmp_path):
    told = refused({"data.url": "https://host/x.zip", "data.path": str(tmp_path)})
    assert "data: set either data.url or data.path (found both)" in told


@given(st.sampled_from(PLACES), TREES)
def test_any_value_anywhere_is_taken_or_refused_in_words(place, value):
    params = copy.deepcopy(DEFAULTS)
    section: Any = params
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = value
    _taken_or_refused(params, read=False)


@given(st.sampled_from([place for place in PLACES if not isinstance(place[-1], int)]), KEYS, TREES)
def test_any_key_beside_any_other_is_taken_or_refused_in_words(place, key, value):
    params = copy.deepcopy(DEFAULTS)
    section: Any = params
    for part in place[:-1]:
        section = section[part]
    section[key] = value
    _taken_or_refused(params, read=False)


@given(st.dictionaries(st.sampled_from(list(DEFAULTS)) | KEYS, TREES, max_size=5) | TREES)
def test_anything_at_all_is_refused_in_words(params):
    _taken_or_refused(params)


def _taken_or_refused(params: object, *, read: bool = True) -> None:
    """Without `read` the file is not written and parsed, which takes most of the time where it is whole."""
    with folder_of(params if read else {}), pytest.MonkeyPatch.context() as patch:
        if not read:
            patch.setattr(stages.config, "read_params", lambda: params)
        problem = ""
        try:
            stages.config.main()
        except SegError as error:
            problem = str(error)
        assert problem.startswith("params.yaml") != CONFIG.exists()
