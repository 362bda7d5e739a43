"""What every plug-in of every kind must keep; a new file is tested the moment it appears."""

import subprocess
import sys

import pytest

from seglib import datasets, losses, models, plugins, schedulers
from seglib.config import Section, read_params
from seglib.errors import SegError

KINDS = (datasets, losses, models, schedulers)
PLUGINS = [(package, name) for package in KINDS for name in plugins.names(package)]


@pytest.mark.parametrize(("package", "name"), PLUGINS, ids=lambda value: getattr(value, "__name__", value))
def test_plugin_has_a_docstring_and_typed_options_in_params_yaml(package, name):
    plugin = plugins.load(package, name)
    assert plugin.__doc__
    options = plugins.options(plugin, read_params())
    assert isinstance(options, Section)
    assert all(field.is_required() for field in type(options).model_fields.values()), "defaults stand in params.yaml"


def test_plugins_load_without_a_deep_learning_library():
    names = [f"{package.__name__}.{name}" for package, name in PLUGINS]
    command = (
        "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; "
        "print({'torch', 'monai'} & sys.modules.keys() or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", command, *names], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "light"


@pytest.mark.parametrize("package", KINDS, ids=lambda package: package.__name__)
def test_unknown_name_suggests_the_nearest(package):
    name = plugins.names(package)[0]
    with pytest.raises(SegError, match=f"did you mean '{name}'"):
        plugins.load(package, name + "x")
