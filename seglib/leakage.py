"""No model is measured on cases that it was trained or selected on."""

import hashlib
from collections.abc import Iterable, Mapping

from seglib.checkpoint import Card
from seglib.errors import SegError, listing

DIGITS = 12
"""Hexadecimal digits kept of a digest: 20,000 cases take one of 5,000 others for their own once in a million times."""


def digests(ids: Iterable[str], groups: Iterable[str]) -> list[str]:
    """What a card remembers of cases and groups: 12 hexadecimal digits of each, sorted."""
    return sorted({_of_id(key) for key in ids} | {_of_group(group) for group in groups})


def refuse_seen(cards: Mapping[str, Card], cases: Mapping[str, str]) -> None:
    """Raise SegError where a model, file → card, has seen one of the test cases, id → group, or its group."""
    if found := [line for file, card in cards.items() if (line := _seen(file, card, cases))]:
        raise SegError(
            "\n  ".join(["figures of the test side would flatter models that have seen it:", *found])
            + "\nmeasure a model on the split it was trained on (`dvc repro train` makes one of this split); "
            "predict.ensemble takes models with one test side, as other seeds of this split, "
            "not folds of a cross-validation, whose test sides differ"
        )


def _seen(file: str, card: Card, cases: Mapping[str, str]) -> str:
    seen, tested = set(card.seen), sorted(set(cases.values()))
    ids = [key for key in cases if _of_id(key) in seen]
    groups = [group for group in tested if _of_group(group) in seen]
    parts = [f"{len(ids)} of {len(cases)} test cases ({listing(ids)})"] if ids else []
    parts += [f"cases of {len(groups)} of {len(tested)} test groups ({listing(groups)})"] if groups else []
    return f"{file} was trained or selected on {' and on '.join(parts)}" if parts else ""


def _of_id(key: str) -> str:
    return _digest("id", key)


def _of_group(group: str) -> str:
    return _digest("group", group)


def _digest(kind: str, name: str) -> str:
    return hashlib.sha256(f"{kind}\0{name}".encode()).hexdigest()[:DIGITS]
