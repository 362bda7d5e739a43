import pytest
from ruamel.yaml import YAML

from seglib.errors import SegError
from seglib.report.parameters import SELECTING, SHOWN, parameters, text
from tests.project import REPOSITORY

NOT_SHOWN = {
    "data": {"url", "sha256", "path"},
    "preprocess": {"shards", "store_limit_gb", "backend", "scheduler"},
    "check": {"contact_sheet"},
    "train": {"workers"},
    "compare": {"metric", "max_drop", "confidence"},
}
"""Where files lie, how work is shared out, and what other commands use."""


def test_every_parameter_that_decides_a_result_is_shown():
    for section, values in YAML(typ="safe").load(REPOSITORY / "params.yaml").items():
        selectable = {key for key, value in values.items() if isinstance(value, dict | list | None)}
        keys = values.keys() - NOT_SHOWN.get(section, set()) - (selectable if section in SELECTING else set())
        assert keys == set(SHOWN.get(section, ())) - (selectable if section in SELECTING else set()), section


def test_the_selected_plug_in_is_shown_and_no_other(params):
    shown = parameters(params)
    assert shown["model"]["unet.dropout"] == "0.0"
    assert not any(key.startswith("segresnet") for key in shown["model"])
    assert shown["augment"]["mri"].startswith("[HorizontalFlip(p=0.5), Affine(scale=[0.9, 1.1], ")
    assert shown["train"]["early_stopping.patience"] == "0"


def test_a_plug_in_without_options_needs_no_line(params):
    params["loss"]["name"] = "ce"
    assert list(parameters(params)["loss"]) == ["name", "class_weights", "deep_supervision"]


def test_folders_of_this_machine_are_not_told(params):
    params["predict"]["ensemble"] = [{"path": "/home/me/other.pt", "sha256": "0" * 64}]
    shown = parameters(params)["predict"]["ensemble"]
    assert shown == f"[path=other.pt, sha256={'0' * 64}]"


@pytest.mark.parametrize("section", list(SHOWN))
def test_a_missing_parameter_is_told(params, section):
    key = SHOWN[section][-1]
    del params[section][key]
    with pytest.raises(SegError, match=f"^{section}.{key}: missing"):
        parameters(params)


@pytest.mark.parametrize(
    ("value", "shown"), [(True, "true"), ("", "''"), ([], "[]"), ([[1, 2], 3], "[[1, 2], 3]"), (0.5, "0.5")]
)
def test_values_are_told_as_in_yaml(value, shown):
    assert text(value) == shown
