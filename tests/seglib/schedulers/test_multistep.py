import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import MultiStepLR

from seglib.config import parse
from seglib.errors import SegError
from seglib.schedulers.multistep import Params, factor


def test_it_is_torchs_multistep():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = MultiStepLR(optimizer, milestones=[12, 17], gamma=0.3)
    for step in range(20):
        ours = factor(Params(milestones=[0.6, 0.85], gamma=0.3), step, 20, [])
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()


@given(st.integers(1, 99))
def test_a_milestone_counts_from_its_very_step(percent):
    params = Params(milestones=[float(f"0.{percent:02d}")], gamma=0.5)
    assert [factor(params, step, 100, []) for step in (percent - 1, percent)] == [1.0, 0.5]


@pytest.mark.parametrize("milestones", [[0.85, 0.6], [0.5, 0.5]])
def test_milestones_that_do_not_rise_are_refused(milestones):
    with pytest.raises(SegError, match=r"scheduler\.multistep\.milestones: each must be above the one before"):
        parse(Params, {"milestones": milestones, "gamma": 0.1}, "scheduler.multistep")
