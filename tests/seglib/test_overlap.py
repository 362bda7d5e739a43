import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.sample import IGNORE
from seglib.metrics import count
from seglib.overlap import case_dice


@given(st.integers(0, 2**32 - 1))
def test_validation_dice_is_the_dice_of_the_metrics(seed):
    random = np.random.default_rng(seed)
    truth = random.choice([0, 1, 2, IGNORE], (3, 5, 6)).astype(np.uint8)
    guess = random.integers(0, 3, (3, 5, 6))
    logits = torch.nn.functional.one_hot(torch.from_numpy(guess), 3).movedim(-1, 1).float()
    expected = [count(t, g, 3).dice[1:] for t, g in zip(truth, guess.astype(np.uint8), strict=True)]
    np.testing.assert_allclose(case_dice(logits, torch.from_numpy(truth)), expected, rtol=1e-6)
