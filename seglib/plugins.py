"""Plug-ins are files: the file's name is the key, its folder the kind, its `Params` the options."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from seglib.config import Section, parse
from seglib.errors import SegError, nearest

SECTIONS = {
    "seglib.datasets": "data",
    "seglib.models": "model",
    "seglib.losses": "loss",
    "seglib.schedulers": "scheduler",
}
"""Each kind's package → the section of `params.yaml` whose `name` selects one of it."""


def names(package: ModuleType) -> list[str]:
    """The plug-ins of a kind, such as `seglib.models`, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def load(package: ModuleType, name: str) -> ModuleType:
    """Import the plug-in `name` of a kind.

    Raises SegError with the nearest known name.
    """
    if name not in names(package):
        kind = package.__name__.rpartition(".")[2]
        raise SegError(f"no '{name}' in {kind}; {nearest(name, names(package))}")
    return importlib.import_module(f"{package.__name__}.{name}")


def options(plugin: ModuleType, params: Mapping[str, Any]) -> Section:
    """The plug-in's own section of `params.yaml`, such as `model.unet`, typed."""
    package, _, name = plugin.__name__.rpartition(".")
    section = SECTIONS[package]
    return parse(plugin.Params, params.get(section, {}).get(name, {}), f"{section}.{name}")
