import math

import pytest

from seglib.errors import SegError
from seglib.learning_rate import learning_rate


def scheduler(**values):
    return {"scheduler": {"name": "cosine", "cosine": {"final": 0.1}} | values}


def test_warmup_rises_linearly_to_the_full_rate():
    rate = learning_rate(scheduler(warmup=0.1), 50)
    assert [rate.factor(step, []) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_the_whole_curve_is_the_warmup_and_then_the_schedule():
    rate = learning_rate(scheduler(warmup=0.25), 40)
    expected = [min((step + 1) / 10, 0.55 + 0.45 * math.cos(math.pi * max(0, step - 10) / 30)) for step in range(40)]
    assert [rate.factor(step, []) for step in range(40)] == pytest.approx(expected)


def test_without_warmup_the_schedule_has_all_steps():
    rate = learning_rate(scheduler(warmup=0.0), 20)
    assert [rate.factor(step, []) for step in (0, 10)] == pytest.approx([1.0, 0.55])


def test_the_schedule_sees_the_scores_of_the_finished_epochs():
    plateau = {"factor": 0.5, "patience": 0, "min_delta": 0.0, "lowest": 0.0}
    rate = learning_rate(scheduler(warmup=0.1, name="plateau", plateau=plateau), 10)
    assert [rate.factor(5, scores) for scores in ([], [0.7, 0.8], [0.7, 0.8, 0.8])] == [1.0, 1.0, 0.5]


def test_an_unknown_schedule_is_answered_with_the_nearest():
    with pytest.raises(SegError, match=r"no 'cosin' in schedulers; did you mean 'cosine'\?"):
        learning_rate(scheduler(warmup=0.0, name="cosin"), 10)
