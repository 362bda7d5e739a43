"""`export`: what is taken, and what is refused in words."""

import pytest

from seglib.config import parse
from seglib.errors import SegError
from seglib.sections.export import VARIANTS, Export

EXPORT = {"variants": ["onnx"], "max_dice_drop": 0.005, "calibration": 64, "rounds": 0, "confidence": 0.95}


@pytest.mark.parametrize("values", [{}, {"variants": []}, {"variants": list(VARIANTS)}, {"max_dice_drop": 0}])
def test_what_makes_sense_is_taken(values):
    assert parse(Export, EXPORT | values, "export").model_dump() == EXPORT | values


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"variants": ["onx"]}, r"export\.variants\.0: no such variant; did you mean 'onnx'\? \(found 'onx'\)"),
        ({"variants": ["onnx", "xyz"]}, r"export\.variants\.1: no such variant; known: onnx, .* \(found 'xyz'\)"),
        ({"variants": ["onnx", "onnx"]}, r"export\.variants: a variant counts once"),
        ({"variants": "onnx"}, r"export\.variants: .*list"),
        ({"max_dice_drop": -0.1}, r"export\.max_dice_drop"),
        ({"max_dice_drop": float("nan")}, r"export\.max_dice_drop"),
        ({"calibration": 0}, r"export\.calibration"),
        ({"rounds": -1}, r"export\.rounds"),
        ({"rounds": 2.5}, r"export\.rounds"),
        ({"confidence": 95}, r"export\.confidence"),
        ({"round": 1}, r"export\.round: unknown parameter; did you mean 'rounds'\?"),
    ],
)
def test_what_makes_none_is_refused(values, said):
    with pytest.raises(SegError, match=said):
        parse(Export, EXPORT | values, "export")
