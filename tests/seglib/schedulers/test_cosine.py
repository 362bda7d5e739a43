import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from seglib.schedulers.cosine import Params, factor


def test_warmup_rises_linearly_to_the_full_rate():
    params = Params(warmup=0.1, final=0.0)
    assert [factor(params, step, 50) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_without_warmup_it_is_torchs_cosine_annealing():
    params = Params(warmup=0.0, final=0.0)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = CosineAnnealingLR(optimizer, T_max=20)
    for step in range(20):
        assert factor(params, step, 20) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()


def test_it_ends_at_the_final_share():
    assert factor(Params(warmup=0.0, final=0.1), 100, 100) == pytest.approx(0.1)
