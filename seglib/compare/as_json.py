"""A comparison for machines."""

import json
from dataclasses import asdict
from typing import Any

from seglib.compare.comparing import Compared
from seglib.compare.comparison import Change


def as_json(compared: Compared) -> str:
    """Strict JSON; what does not exist is null."""
    comparison = compared.comparison
    content = {
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "subject": comparison.subject,
        "rule": comparison.rule.model_dump(),
        "drop": asdict(comparison.drop),
        "whole_drop": comparison.whole_drop,
        "undecided_classes": list(comparison.undecided),
        "base": {"name": comparison.base, "runs": [each.run.name for each in compared.base]},
        "head": {"name": comparison.head, "runs": [each.run.name for each in compared.head]},
        "n": comparison.n,
        "n_groups": comparison.n_groups,
        "figures": {change.measure.name: _figure(change) for change in comparison.changes},
        "most_improved": [asdict(case) for case in compared.improved],
        "most_worsened": [asdict(case) for case in compared.worsened],
        "recipe": [asdict(change) for change in compared.recipe],
        "notes": list(compared.notes),
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str)


def _figure(change: Change) -> dict[str, Any]:
    return {
        "base": change.base,
        "head": change.head,
        "difference": asdict(change.difference),
        "p": change.p,
        "better": change.better,
        "worse": change.worse,
        "direction": change.measure.better,
    }
