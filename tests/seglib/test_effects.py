import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.effects import effects, is_full_grid

GRID = [
    ({"lr": 0.1, "size": 128}, 0.5),
    ({"lr": 0.1, "size": 256}, 0.6),
    ({"lr": 0.2, "size": 128}, 0.8),
    ({"lr": 0.2, "size": 256}, 0.7),
]


def levels(effect):
    return [(level.value, pytest.approx(level.mean), level.groups) for level in effect.levels]


def test_a_full_grid_by_hand():
    """lr: 0.55 and 0.75; size: 0.65 under both, for they cancel out."""
    first, second = effects(GRID)
    assert (first.setting, first.range) == ("lr", pytest.approx(0.2))
    assert levels(first) == [(0.2, 0.75, 2), (0.1, 0.55, 2)]
    assert (second.setting, second.range) == ("size", pytest.approx(0))
    assert is_full_grid(GRID)
    assert not is_full_grid(GRID[:3])


def test_groups_that_lack_a_setting_do_not_count():
    groups = [({"lr": 1, "width": 8}, 0.1), ({"lr": 1, "width": 16}, 0.2), ({"lr": 2}, 0.9)]
    first, second = effects(groups)
    assert levels(first) == [(2, 0.9, 1), (1, 0.15, 2)]
    assert levels(second) == [(16, 0.2, 1), (8, 0.1, 1)]
    assert not is_full_grid(groups)


def test_values_may_be_lists():
    (found,) = effects([({"rates": [1, 2]}, 0.1), ({"rates": []}, 0.3), ({"rates": [1, 2]}, 0.2)])
    assert levels(found) == [([], 0.3, 1), ([1, 2], 0.15, 2)]


@pytest.mark.parametrize("groups", [[], [({}, 0.5)], [({"lr": 1}, 0.5), ({"lr": 1}, 0.6)]])
def test_where_nothing_differs_there_is_no_effect(groups):
    assert effects(groups) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1, 1)), min_size=2, max_size=9))
def test_the_means_of_the_values_average_to_the_mean_of_all(groups):
    for effect in effects([({"key": key}, mean) for key, mean in groups]):
        total = sum(level.mean * level.groups for level in effect.levels)
        assert total == pytest.approx(sum(mean for _, mean in groups))
        assert effect.range == max(level.mean for level in effect.levels) - min(level.mean for level in effect.levels)
