"""`predict`: what is taken, and what is refused in words."""

import pytest

from seglib.config import parse
from seglib.errors import SegError
from seglib.sections.predict import Predict
from tests.model_cards import PLAIN_PREDICT

MEMBER = {"path": "/models/a.pt", "sha256": "0" * 64}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"threshold": "auto"},
        {"threshold": 0.01},
        {"overlap": 0.0},
        {"overlap": 0},
        {"flips": True, "rotations": True},
        {"scales": [0.5, 1.0, 2]},
        {"ensemble": [MEMBER, {"path": "/models/b.pt", "sha256": "1" * 64}]},
        {"min_pixels": 30, "fill_holes": 10},
    ],
)
def test_what_makes_sense_is_taken(values):
    assert parse(Predict, PLAIN_PREDICT | values, "predict").model_dump() == PLAIN_PREDICT | values


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"threshold": 0.0}, r"predict\.threshold: must be a probability between 0 and 1, or auto \(found 0.0\)"),
        ({"threshold": 1}, r"predict\.threshold: must be .* \(found 1\)"),
        ({"threshold": "best"}, r"predict\.threshold: must be .* \(found 'best'\)"),
        ({"threshold": True}, r"predict\.threshold: must be"),
        ({"threshold": None}, r"predict\.threshold: must be"),
        ({"overlap": 1.0}, r"predict\.overlap: .* less than 1"),
        ({"overlap": -0.1}, r"predict\.overlap"),
        ({"flips": 1}, r"predict\.flips: .* valid boolean"),
        ({"scales": []}, r"predict\.scales: .* at least 1 item"),
        ({"scales": [1.0, 0.0]}, r"predict\.scales\.1: .* equal to 0\.1"),
        ({"scales": [8.0]}, r"predict\.scales\.0"),
        ({"scales": 1.0}, r"predict\.scales: .* valid list"),
        ({"ensemble": ["/models/a.pt"]}, r"predict\.ensemble\.0: must hold `key: value` lines"),
        ({"ensemble": [{"path": "/models/a.pt"}]}, r"predict\.ensemble\.0\.sha256: missing"),
        ({"ensemble": [MEMBER | {"path": "models/a.pt"}]}, r"predict\.ensemble\.0\.path: must be an absolute path"),
        ({"ensemble": [MEMBER | {"path": "/a\0"}]}, r"predict\.ensemble\.0\.path: must be an absolute path"),
        ({"ensemble": [MEMBER | {"sha256": "abc"}]}, r"predict\.ensemble\.0\.sha256"),
        ({"ensemble": [MEMBER, MEMBER | {"path": "/b.pt"}]}, r"predict: ensemble: two members have the same sha256"),
        ({"min_pixels": -1}, r"predict\.min_pixels"),
        ({"fill_holes": 1.5}, r"predict\.fill_holes: .* valid integer"),
    ],
)
def test_what_makes_none_is_told(values, said):
    with pytest.raises(SegError, match=f"^{said}") as told:
        parse(Predict, PLAIN_PREDICT | values, "predict")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("key", PLAIN_PREDICT)
def test_nothing_has_a_default(key):
    with pytest.raises(SegError, match=rf"predict\.{key}: missing"):
        parse(Predict, {name: value for name, value in PLAIN_PREDICT.items() if name != key}, "predict")
