import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import ReduceLROnPlateau

from seglib.schedulers.plateau import Params, factor

PATIENT = Params(factor=0.5, patience=1, min_delta=0.0, lowest=0.2)
"""Falls at the second epoch without gain."""


def torchs(params, scores):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = ReduceLROnPlateau(
        optimizer,
        mode="max",
        factor=params.factor,
        patience=params.patience,
        threshold=params.min_delta,
        threshold_mode="abs",
        min_lr=params.lowest,
        eps=0,
    )
    for score in scores:
        scheduler.step(score)
    return optimizer.param_groups[0]["lr"]


@given(
    scores=st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.5, 0.51, 1.0]), max_size=60),
    by=st.floats(0.01, 0.99),
    patience=st.integers(0, 6),
    min_delta=st.sampled_from([0.0, 0.01, 0.3]),
    lowest=st.floats(0, 1),
)
def test_it_is_torchs_plateau(scores, by, patience, min_delta, lowest):
    params = Params(factor=by, patience=patience, min_delta=min_delta, lowest=lowest)
    assert factor(params, 0, 1, scores) == torchs(params, scores)


def test_it_falls_after_patience_and_no_lower_than_the_lowest():
    scores = [0.1, 0.2, 0.2, 0.15, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3]
    rates = [factor(PATIENT, 0, 1, scores[:done]) for done in range(len(scores) + 1)]
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2]


def test_it_does_not_depend_on_the_step():
    assert len({factor(PATIENT, step, 9, [0.5, 0.4, 0.4]) for step in range(9)}) == 1
