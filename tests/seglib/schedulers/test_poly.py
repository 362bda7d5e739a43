import pytest
import torch
from torch.optim.lr_scheduler import PolynomialLR

from seglib.schedulers.poly import Params, factor


@pytest.mark.parametrize("power", [0.5, 0.9, 2.0])
def test_it_is_torchs_polynomial(power):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = PolynomialLR(optimizer, total_iters=20, power=power)
    for step in range(20):
        assert factor(Params(power=power, final=0.0), step, 20, []) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()


def test_a_straight_line_falls_to_the_final_share():
    params = Params(power=1.0, final=0.2)
    assert [factor(params, step, 4, []) for step in range(5)] == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2])
