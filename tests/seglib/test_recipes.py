"""`seg recipe`: values written in place, comments and layout kept."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from seglib.config import read_yaml
from seglib.errors import SegError
from seglib.recipes import apply_recipe
from tests.project import REPOSITORY

RECIPES = sorted(file.stem for file in (REPOSITORY / "recipes").glob("*.yaml"))


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    shutil.copytree(REPOSITORY / "recipes", tmp_path / "recipes")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "params.yaml"


def leaves(values: dict[str, Any], place: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= leaves(value, f"{place}{key}.") if isinstance(value, dict) else {f"{place}{key}": value}
    return found


def comments(text: str) -> list[tuple[str, str]]:
    lines = [line.partition("#") for line in text.splitlines()]
    return [(code.partition(":")[0], comment) for code, hash_sign, comment in lines if hash_sign]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_writes_its_values_and_nothing_else(params, name):
    before = leaves(read_yaml(params))
    apply_recipe(name)
    assert leaves(read_yaml(params)) == before | leaves(read_yaml(Path(f"recipes/{name}.yaml")))


@pytest.mark.parametrize("name", RECIPES)
def test_comments_and_lines_stay(params, name):
    before = params.read_text()
    changes = apply_recipe(name)
    after = params.read_text()
    assert comments(after) == comments(before)
    pairs = list(zip(before.splitlines(), after.splitlines(), strict=True))
    assert sum(old != new for old, new in pairs) == len(changes)


def test_the_changes_are_told(params):
    changes = apply_recipe("kvasir")
    assert "data.name: mni152 → kvasir" in changes
    assert "model.unet.channels: [16, 32, 64, 128] → [16, 32, 64, 128, 256, 512]" in changes
    assert apply_recipe("kvasir") == []


def test_going_back_to_the_default_restores_every_byte(params):
    before = params.read_bytes()
    assert apply_recipe("mni152") == [], "recipes/mni152.yaml is not what params.yaml says"
    apply_recipe("kvasir")
    assert params.read_bytes() != before
    apply_recipe("mni152")
    assert params.read_bytes() == before


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("train: {epoch: 3}", r"train\.epoch: not in params\.yaml; did you mean 'epochs'"),
        ("model: {unet: 3}", r"model\.unet: the recipe has 3 where"),
        ("train: {lr: {start: 1}}", r"train\.lr: the recipe has \{'start': 1\} where"),
    ],
)
def test_a_recipe_that_does_not_fit_changes_nothing(params, recipe, message):
    before = params.read_bytes()
    Path("recipes/mine.yaml").write_text(f"data: {{name: kvasir}}\n{recipe}\n")
    with pytest.raises(SegError, match=message):
        apply_recipe("mine")
    assert params.read_bytes() == before


@pytest.mark.parametrize("name", RECIPES)
def test_the_default_recipe_undoes_every_other(name):
    other, default = (leaves(read_yaml(REPOSITORY / f"recipes/{which}.yaml")) for which in (name, "mni152"))
    assert other.keys() <= default.keys()


@pytest.mark.parametrize("written", ["'x # y'", "a b", "[1, '#', {k: 0.5}]", "1.0e-05", "''", "true", "null", "[]"])
def test_values_of_any_kind_arrive(params, written):
    before = read_yaml(params)
    Path("recipes/mine.yaml").write_text(f"train: {{seed: {written}}}\noptimizer: {{name: {written}}}\n")
    apply_recipe("mine")
    value = YAML(typ="safe", pure=True).load(written)
    assert leaves(read_yaml(params)) == leaves(before) | {"train.seed": value, "optimizer.name": value}
    Path("recipes/mine.yaml").write_text("train: {seed: 7}\n")
    apply_recipe("mine")
    assert read_yaml(params)["train"]["seed"] == 7


def test_an_unknown_recipe_suggests_the_nearest(params):
    before = params.read_bytes()
    with pytest.raises(SegError, match="no recipe 'kvasr'; did you mean 'kvasir'"):
        apply_recipe("kvasr")
    assert params.read_bytes() == before
