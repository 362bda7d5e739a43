import pytest

from seglib.config import parse
from seglib.errors import SegError
from seglib.sections.compare import Rule

RULE = {"metric": "dice", "max_drop": 0.01, "confidence": 0.95}


def test_no_drop_at_all_may_be_asked_for():
    assert parse(Rule, RULE | {"max_drop": 0}, "compare").max_drop == 0


@pytest.mark.parametrize(
    "wrong",
    [{"max_drop": -0.01}, {"confidence": 0.5}, {"confidence": 1.0}, {"confidence": 95}, {"max_drop": float("inf")}],
)
def test_values_that_are_no_rule_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(SegError, match=rf"compare\.{name}"):
        parse(Rule, RULE | wrong, "compare")
