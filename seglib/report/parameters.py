"""The parameters that decide the result, as the page shows them."""

from collections.abc import Iterator, Mapping
from typing import Any

from seglib.errors import SegError
from seglib.paths import PARAMS
from seglib.public import public

SHOWN = {
    "data": ("name",),
    "preprocess": ("image_size", "resize", "spacing", "window", "percentiles"),
    "check": ("near_duplicate",),
    "split": ("val", "test", "seed", "stratify", "folds", "fold", "official"),
    "augment": ("name",),
    "model": ("name", "head", "padding"),
    "loss": ("name", "class_weights", "deep_supervision"),
    "optimizer": ("name", "weight_decay", "decay_all", "momentum", "encoder_lr", "clip_norm", "ema"),
    "scheduler": ("name", "warmup"),
    "train": (
        "epochs", "batch_size", "accumulate", "lr", "seed", "device", "devices", "nodes", "strategy", "threads",
        "precision", "compile", "channels_last", "deterministic", "foreground_crops", "small_targets",
        "early_stopping",
    ),
    "predict": ("threshold", "overlap", "flips", "rotations", "scales", "ensemble", "min_pixels", "fill_holes"),
    "evaluate": ("overlays", "tolerance", "confidence"),
    "prune": ("ratio", "epochs", "lr"),
    "export": ("variants", "max_dice_drop", "calibration", "rounds", "confidence"),
}  # fmt: skip
"""Section → its keys. Where a file lies, and how the work is shared out, changes no result."""
SELECTING = ("data", "augment", "model", "loss", "scheduler")
"""Sections whose `name` selects a sub-section, which is shown as well."""


def parameters(params: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Section → key → value as text, without what is private in it.

    Raises SegError for a key that `params.yaml` lacks.
    """
    return {section: dict(_lines(params, section, keys)) for section, keys in SHOWN.items()}


def _lines(params: Mapping[str, Any], section: str, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key in keys:
        yield from _flat(key, value_of(params, section, key))
    if section in SELECTING:
        name = params[section]["name"]
        yield from _flat(name, value_of(params, section, name))


def value_of(params: Mapping[str, Any], section: str, key: str) -> Any:
    """The value of `section.key`.

    Raises SegError where there is none.
    """
    try:
        return params[section][key]
    except (KeyError, TypeError):
        raise SegError(f"{section}.{key}: missing; add it to {PARAMS}") from None


def _flat(key: str, value: object) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict) or not value:
        if value not in ({}, None):
            yield key, text(value)
        return
    for name, item in value.items():
        yield from _flat(f"{key}.{name}", item)


def text(value: object) -> str:
    """A value of YAML on one line; transforms as `Name(option=value)`."""
    if isinstance(value, dict):
        return ", ".join(
            f"{key}({_options(item)})" if isinstance(item, dict) else f"{key}={text(item)}"
            for key, item in value.items()
        )
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(public(value)) or "''"


def _options(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={text(value)}" for key, value in values.items())
