"""Which sample trains, validates or tests: by group, ranked by hash, so that new data moves no old one."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seglib.errors import SegError
from seglib.sections.split import Split
from seglib.seeding import unit_interval

SIDES = ("train", "val", "test")


def split_samples(samples: Sequence[Mapping[str, Any]], settings: Split) -> dict[str, list[str]]:
    """Assign the samples of an index to sides; a group stays on one side.

    A group's place follows from (seed, group) alone, so adding or removing other groups moves none.
    The one exception: a side that would be empty takes the group whose hash lies nearest to it.
    Raises SegError where there are fewer groups than sides, or no foreground on one of them.
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for sample in samples:
        groups[sample["group"]].append(sample["id"])
    if len(groups) < len(SIDES):
        raise SegError(
            f"{len(samples)} samples in {len(groups)} groups cannot be split into {', '.join(SIDES)}: "
            f"at least {len(SIDES)} groups are needed"
        )
    ranks = {group: unit_interval(settings.seed, group) for group in groups}
    sides = {group: _side(rank, settings) for group, rank in ranks.items()}
    _fill_empty_sides(sides, ranks, settings)
    ids = {side: sorted(i for group in groups if sides[group] == side for i in groups[group]) for side in SIDES}
    _check_foreground(ids, samples)
    return ids


def _check_foreground(ids: Mapping[str, Sequence[str]], samples: Sequence[Mapping[str, Any]]) -> None:
    with_foreground = {sample["id"] for sample in samples if sum(sample["pixels"][1:])}
    if bare := [side for side in SIDES if with_foreground.isdisjoint(ids[side])]:
        raise SegError(
            f"no mask of the side {' and '.join(bare)} shows a foreground class; "
            "choose another split.seed or larger shares"
        )


def read_split(path: Path) -> dict[str, list[str]]:
    """Read the ids of each side."""
    return json.loads(path.read_text())


def _side(rank: float, settings: Split) -> str:
    if rank < settings.test:
        return "test"
    return "val" if rank < settings.test + settings.val else "train"


def _fill_empty_sides(sides: dict[str, str], ranks: Mapping[str, float], settings: Split) -> None:
    centres = {"test": settings.test / 2, "val": settings.test + settings.val / 2}
    centres["train"] = (1 + settings.test + settings.val) / 2
    for side in SIDES:
        if side in sides.values():
            continue
        spare = [group for group, taken in sides.items() if list(sides.values()).count(taken) > 1]
        sides[min(spare, key=lambda group: abs(ranks[group] - centres[side]))] = side
