"""Every schedule: a factor for every step of any training, never above 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib import plugins, schedulers
from seglib.config import read_params
from seglib.learning_rate import learning_rate

NAMES = pytest.mark.parametrize("name", plugins.names(schedulers))
PARAMS = read_params()


def schedule(name, steps, warmup):
    return learning_rate({"scheduler": PARAMS["scheduler"] | {"name": name, "warmup": warmup}}, steps)


@NAMES
@given(
    steps=st.integers(1, 5000),
    share=st.floats(0, 1, exclude_max=True),
    warmup=st.floats(0, 1, exclude_max=True),
    scores=st.lists(st.floats(0, 1), max_size=40),
)
def test_factor_is_defined_at_every_step(name, steps, share, warmup, scores):
    assert 0 <= schedule(name, steps, warmup).factor(int(share * steps), scores) <= 1


@NAMES
@given(steps=st.integers(1, 5000), warmup=st.floats(0, 1, exclude_max=True))
def test_first_step_already_learns(name, steps, warmup):
    assert schedule(name, steps, warmup).factor(0, []) > 0


@NAMES
def test_the_full_rate_is_reached_where_the_warmup_ends(name):
    assert schedule(name, 100, 0.1).factor(10, []) == 1


@NAMES
@given(scores=st.lists(st.floats(0, 1), max_size=40))
def test_after_the_warmup_the_rate_never_rises(name, scores):
    epochs = [schedule(name, 40, 0.0).factor(epoch, scores[:epoch]) for epoch in range(40)]
    assert epochs == sorted(epochs, reverse=True)
