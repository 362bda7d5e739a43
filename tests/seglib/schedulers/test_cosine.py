import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from seglib.schedulers.cosine import Params, factor


@pytest.mark.parametrize("final", [0.0, 0.2])
def test_it_is_torchs_cosine_annealing(final):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = CosineAnnealingLR(optimizer, T_max=20, eta_min=final)
    for step in range(20):
        assert factor(Params(final=final), step, 20, []) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()


def test_it_ends_at_the_final_share():
    assert factor(Params(final=0.1), 100, 100, []) == pytest.approx(0.1)
