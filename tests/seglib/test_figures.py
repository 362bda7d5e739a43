import numpy as np
import pytest

from seglib.figures import figures
from seglib.measures import COLUMNS, FIGURES


def test_every_figure_has_a_name_and_a_ratio():
    columns = {name: np.ones((2, 1)) for name in COLUMNS}
    assert list(figures(columns)) == [measure.name for measure in FIGURES]


def test_pooled_figures_by_hand():
    """Pixels: 30 in both, 50 true, 40 predicted. Objects: 3 of 4 found, 5 predicted, 2 of them false."""
    sums = {
        "both": [10, 20], "truth": [20, 30], "guess": [15, 25],
        "lesions": [1, 3], "lesions_found": [1, 2], "lesions_guessed": [3, 2], "lesions_false": [2, 0],
    }  # fmt: skip
    columns = {name: np.array(sums.get(name, [0.25, 0.75]), np.float64)[:, None] for name in COLUMNS}
    found = {name: float(ratio(np.ones((1, 2)))[0]) for name, ratio in figures(columns).items()}
    assert found["dice_pooled"] == pytest.approx(60 / 90)
    assert found["iou_pooled"] == pytest.approx(30 / 60)
    assert found["precision_pooled"] == pytest.approx(30 / 40)
    assert found["recall_pooled"] == pytest.approx(30 / 50)
    assert found["lesion_recall"] == pytest.approx(3 / 4)
    assert found["lesion_precision"] == pytest.approx(3 / 5)
    assert found["lesion_f1"] == pytest.approx(6 / 9)
    assert found["dice"] == found["iou_at_model_size"] == pytest.approx(0.5)
