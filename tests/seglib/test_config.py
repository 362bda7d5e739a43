from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from seglib.config import FORBIDDEN_KEYS, Section, forbidden_keys, parse, read_yaml, section
from seglib.errors import SegError, nearest

KEYS = st.text(max_size=6).filter(lambda key: key not in FORBIDDEN_KEYS)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


class Inner(Section):
    deep: float


class Example(Section):
    number: Annotated[int, Field(ge=1)]
    text: str
    inner: Inner


GOOD: dict[str, Any] = {"number": 1, "text": "a", "inner": {"deep": 0.5}}


@given(TREES)
def test_anything_else_is_refused_in_words(value):
    with pytest.raises(SegError, match=r"^place"):
        parse(Example, value, "place")


@given(st.sets(st.sampled_from(["number", "text", "deep"]), min_size=1), TREES.filter(lambda v: isinstance(v, list)))
def test_every_wrong_value_is_told_at_once(wrong, value):
    values = {**GOOD, **dict.fromkeys(wrong - {"deep"}, value)}
    if "deep" in wrong:
        values["inner"] = {"deep": value}
    with pytest.raises(SegError) as caught:
        parse(Example, values, "place")
    told = [line.partition(":")[0] for line in str(caught.value).splitlines()]
    assert sorted(told) == sorted("place.inner.deep" if key == "deep" else f"place.{key}" for key in wrong)


def test_an_unknown_key_suggests_the_known_one():
    with pytest.raises(SegError, match=r"place.nubmer: unknown parameter; did you mean 'number'\?"):
        parse(Example, {**GOOD, "nubmer": 3}, "place")


def test_a_missing_key_is_named():
    with pytest.raises(SegError, match=r"place.inner.deep: missing; add it to params.yaml"):
        parse(Example, {**GOOD, "inner": {}}, "place")


@pytest.mark.parametrize("value", ["1", 1.0, True, None])
def test_nothing_is_converted_in_silence(value):
    with pytest.raises(SegError, match=r"place.number: .* \(found "):
        parse(Example, {**GOOD, "number": value}, "place")


def test_a_long_value_is_cut():
    with pytest.raises(SegError) as caught:
        parse(Example, {**GOOD, "number": "x" * 5000}, "place")
    assert len(str(caught.value)) < 250


def test_a_missing_section_is_told():
    with pytest.raises(SegError, match=r"example\.number: missing"):
        section({}, "example", Example)


@given(TREES)
def test_trees_without_forbidden_keys_have_none(tree):
    assert forbidden_keys(tree) == []


@given(st.data(), TREES, st.sampled_from(FORBIDDEN_KEYS), TREES)
def test_forbidden_keys_are_found_at_any_depth(data, tree, key, value):
    steps = data.draw(st.lists(st.text("abc", min_size=1) | st.integers(0, 2), max_size=5))
    tree, place = {key: value}, key
    for step in reversed(steps):
        tree = {step: tree} if isinstance(step, str) else [*[0] * step, tree]
        inside = place if place.startswith("[") else f".{place}"
        place = f"{step}{inside}" if isinstance(step, str) else f"[{step}]{inside}"
    assert forbidden_keys(tree) == [place]


@given(st.text(), st.lists(SCALARS, max_size=4))
def test_a_suggestion_is_always_found(name, known):
    assert nearest(name, known)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: [1", "not valid YAML"),
        (b"a: 1\na: 2", "not valid YAML"),
        (b"a: 2020-13-45", "not valid YAML"),
        (b"a: \xff\xfe", "not valid YAML"),
        (b"a: \x01", "not valid YAML"),
        (b"a: *nowhere", "not valid YAML"),
        (b"a: !!python/object:os.system x", "not valid YAML"),
        (b"- a", "found list"),
        (b"", "found NoneType"),
        (b"just words", "found str"),
    ],
)
def test_what_is_no_yaml_mapping_is_refused_in_words(tmp_path, text, said):
    file = tmp_path / "params.yaml"
    file.write_bytes(text)
    with pytest.raises(SegError, match=said) as caught:
        read_yaml(file)
    assert str(file) in str(caught.value)


def test_numbers_are_read_as_dvc_writes_them(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text("lr: 1e-05\n")
    assert read_yaml(file) == {"lr": 1e-05}


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SegError, match="run from the project's root"):
        read_yaml(tmp_path / "params.yaml")
