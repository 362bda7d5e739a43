"""The models that predict together."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seglib.checkpoint import Card, Segmenter, load_checkpoint
from seglib.errors import SegError
from seglib.sections.predict import ModelFile


class Trained(NamedTuple):
    """A model file and what it holds."""

    file: str
    segmenter: Segmenter
    card: Card


def load_models(best: Path, members: Sequence[ModelFile]) -> list[Trained]:
    """Load `best` and the members of its ensemble, `best` first.

    Raises SegError where a member is missing or has another sha256, is no model file, or differs from
    `best` in what their outputs mean or in the pixels that they expect.
    """
    first = Trained(str(best), *load_checkpoint(best))
    digest = hashlib.sha256(best.read_bytes()).hexdigest()
    if same := [member.path for member in members if member.sha256 == digest]:
        raise SegError(f"predict.ensemble: {same[0]} is {best} itself; a model counts once, so take it out")
    return [first, *(_member(member, first) for member in members)]


def _member(member: ModelFile, first: Trained) -> Trained:
    path = Path(member.path)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SegError(f"predict.ensemble: {path} cannot be read ({error.strerror}); check the path") from None
    if found != member.sha256:
        raise SegError(
            f"predict.ensemble: {path} has sha256 {found}, expected {member.sha256}; "
            "check the file, or set its sha256 to what it has"
        )
    loaded = Trained(str(path), *load_checkpoint(path))
    if differences := list(_differences(loaded.card, first.card)):
        raise SegError(
            "\n  ".join([f"predict.ensemble: {path} cannot predict together with {first.file}:", *differences])
            + "\ntake models that were trained on the same data set with the same architecture and pixels"
        )
    return loaded


def _differences(card: Card, first: Card) -> Iterator[str]:
    found, expected = _facts(card), _facts(first)
    for name in expected:
        if found[name] != expected[name]:
            yield f"{name}: {found[name]}, not {expected[name]}"


def _facts(card: Card) -> dict[str, Any]:
    """What must agree; the architecture because DVC watches the code of the selected one only."""
    return {
        "classes": card.classes,
        "overlapping classes": card.overlapping,
        "channels": card.spec.channels,
        "modality": card.spec.modality,
        "axes": card.dims,
        "slices": card.dataset["take"],
        "head": "sigmoid" if card.sigmoid else "softmax",
        "architecture": card.model,
        "padding": card.padding,
        **card.pixels,
    }
