"""How much of a sample is foreground, from its facts in the index."""

import math
from collections.abc import Mapping
from typing import Any


def foreground_share(facts: Mapping[str, Any]) -> float:
    """The share of a sample's pixels that belong to any class but the background."""
    total = math.prod(facts["shape"])
    return (total - facts["pixels"][0] - facts["ignored"]) / total
