"""Every schedule: a factor for every step of any training, never above 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib import plugins, schedulers
from seglib.config import read_params


@pytest.mark.parametrize("name", plugins.names(schedulers))
@given(steps=st.integers(1, 5000), share=st.floats(0, 1))
def test_factor_is_defined_at_every_step(name, steps, share):
    plugin = plugins.load(schedulers, name)
    factor = plugin.factor(plugins.options(plugin, read_params()), int(share * steps), steps)
    assert 0 <= factor <= 1


@pytest.mark.parametrize("name", plugins.names(schedulers))
def test_first_step_already_learns(name):
    plugin = plugins.load(schedulers, name)
    assert plugin.factor(plugins.options(plugin, read_params()), 0, 100) > 0
