"""Which sample trains, validates or tests.

What must stay together is a unit: groups, joined where near-identical images connect them. A unit's
side follows from the hash of its name, so that new data moves no old sample.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seglib.errors import SegError
from seglib.foreground import foreground_share
from seglib.sections.split import Split
from seglib.seeding import unit_interval

SIDES = ("train", "val", "test")
SHARE_BINS = (0.0, 0.01, 0.03, 0.1, 0.3)
"""Lower edges of the foreground shares that stratification tells apart."""


@dataclass
class Unit:
    """Samples that never part."""

    name: str
    samples: list[Mapping[str, Any]] = field(default_factory=list)

    def rank(self, *seed: object) -> float:
        """The lowest of its groups' hashes, so that a group that joins it seldom moves it."""
        return min(unit_interval(*seed, group) for group in {sample["group"] for sample in self.samples})

    @property
    def presence(self) -> tuple[bool, ...]:
        """Which foreground classes its masks show."""
        return tuple(any(column) for column in zip(*(sample["pixels"][1:] for sample in self.samples), strict=True))

    @property
    def stratum(self) -> tuple[tuple[bool, ...], int]:
        """Its classes, and the bin of its foreground share."""
        share = sum(map(foreground_share, self.samples)) / len(self.samples)
        return self.presence, sum(share > edge for edge in SHARE_BINS)


def split_samples(
    samples: Sequence[Mapping[str, Any]], clusters: Sequence[Sequence[str]], settings: Split
) -> dict[str, list[str]]:
    """Assign the samples of an index to sides; units stay whole unless official lists part them.

    A unit's place follows from (seed, name) alone, so adding or removing others moves none. The
    exception: a side that would be empty, or lacks a class that three units show, takes the unit whose
    hash lies nearest to it. With `stratify`, sides get exact shares of every stratum instead, but for the
    same exception. Official lists go first: where they name no test side, their val side is the test side,
    and val is drawn from train. Raises SegError where there are fewer units than sides, or no foreground
    on one of them.
    """
    official = {sample["id"]: sample["side"] for sample in samples if settings.official and sample.get("side")}
    listed = set(official.values())
    if "val" in listed and "test" not in listed:
        official = {name: "test" if side == "val" else side for name, side in official.items()}
        listed = set(official.values())
    fixed = {name: side for name, side in official.items() if side != "train" or "val" in listed}
    fixed |= _with_their_own(samples, clusters, official, fixed)
    loose = [sample for sample in samples if sample["id"] not in fixed]
    units = _units(loose, clusters)
    open_sides = [side for side in SIDES if side not in fixed.values()]
    if len(units) < len(open_sides):
        listing = "besides those in official lists, " if fixed else ""
        raise SegError(
            f"{listing}{len(loose)} samples in {len(units)} groups cannot be split into {', '.join(open_sides)}: "
            f"at least {len(open_sides)} groups are needed"
        )
    if settings.folds and len(open_sides) < 2:
        raise SegError("split.folds: the official lists leave nothing to fold; set split.official: false")
    sides = _draw(units, settings, open_sides or ["train"])
    ids: dict[str, list[str]] = {side: [name for name, own in fixed.items() if own == side] for side in SIDES}
    for unit in units:
        ids[sides[unit.name]] += [sample["id"] for sample in unit.samples]
    ids = {side: sorted(names) for side, names in ids.items()}
    _check_foreground(ids, samples)
    return ids


def _with_their_own(
    samples: Sequence[Mapping[str, Any]],
    clusters: Sequence[Sequence[str]],
    official: Mapping[str, str],
    fixed: Mapping[str, str],
) -> dict[str, str]:
    """Sides of samples in no list whose unit has listed ones: theirs; of several the one that trains least."""
    found: dict[str, str] = {}
    for unit in _units(samples, clusters) if fixed else ():
        names = [sample["id"] for sample in unit.samples]
        if sides := {fixed[name] for name in names if name in fixed}:
            side = max(sides, key=SIDES.index)
            found |= dict.fromkeys((name for name in names if name not in official), side)
    return found


def leaks(
    ids: Mapping[str, Sequence[str]], samples: Sequence[Mapping[str, Any]], clusters: Sequence[Sequence[str]]
) -> list[str]:
    """Where a split, as official lists may, puts a group or near-identical images on several sides."""
    side_of = {name: side for side in SIDES for name in ids[side]}
    found = []
    for cluster in clusters:
        if len({side_of[name] for name in cluster}) > 1:
            places = ", ".join(f"{name} ({side_of[name]})" for name in cluster)
            found.append(f"near-identical images on several sides: {places}")
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for sample in samples:
        groups[sample["group"]].add(side_of[sample["id"]])
    for group, sides in sorted(groups.items()):
        if len(sides) > 1:
            found.append(f"group '{group}' is on several sides: {', '.join(side for side in SIDES if side in sides)}")
    return found


def balance(
    ids: Mapping[str, Sequence[str]], samples: Sequence[Mapping[str, Any]], classes: Sequence[str]
) -> dict[str, Any]:
    """Samples and groups of each side, and of each class its share of the pixels and the samples that show it."""
    by_id = {sample["id"]: sample for sample in samples}
    table = {}
    for side in SIDES:
        members = [by_id[name] for name in ids[side]]
        total = sum(math.prod(sample["shape"]) for sample in members)
        table[side] = {"samples": len(members), "groups": len({sample["group"] for sample in members})} | {
            name: {
                "share": round(sum(sample["pixels"][c] for sample in members) / max(total, 1), 6),
                "samples": sum(sample["pixels"][c] > 0 for sample in members),
            }
            for c, name in enumerate(classes)
        }
    return table


def read_split(path: Path) -> dict[str, list[str]]:
    """Read the ids of each side."""
    content = json.loads(path.read_text())
    return {side: content[side] for side in SIDES}


def _units(samples: Sequence[Mapping[str, Any]], clusters: Sequence[Sequence[str]]) -> list[Unit]:
    """Groups joined by clusters; a unit bears the first of its groups' names."""
    group_of = {sample["id"]: sample["group"] for sample in samples}
    root = {group: group for group in group_of.values()}

    def find(group: str) -> str:
        while root[group] != group:
            group = root[group]
        return group

    for cluster in clusters:
        joined = sorted({find(group_of[name]) for name in cluster if name in group_of})
        for group in joined[1:]:
            root[group] = joined[0]
    units: dict[str, Unit] = {}
    for sample in samples:
        name = find(sample["group"])
        units.setdefault(name, Unit(name)).samples.append(sample)
    return [units[name] for name in sorted(units)]


def _draw(units: Sequence[Unit], settings: Split, sides: Sequence[str]) -> dict[str, str]:
    """The side of each unit, of those that are to be drawn."""
    ranks = {unit.name: unit.rank(settings.seed) for unit in units}
    if len(sides) == 1:
        return dict.fromkeys(ranks, sides[0])
    if settings.folds:
        return _fold(units, ranks, settings, sides)
    shares = {side: getattr(settings, side) for side in ("test", "val") if side in sides}
    return _shared_out(units, ranks, shares, settings)


def _shared_out(
    units: Sequence[Unit], ranks: Mapping[str, float], shares: Mapping[str, float], settings: Split
) -> dict[str, str]:
    if settings.stratify:
        sides = {name: _by_rank(place, shares) for name, place in _quantiles(units, ranks, settings.seed).items()}
    else:
        sides = {name: _by_rank(rank, shares) for name, rank in ranks.items()}
    return _present(units, ranks, shares, sides)


def _by_rank(rank: float, shares: Mapping[str, float]) -> str:
    for side, share in shares.items():
        if rank < share:
            return side
        rank -= share
    return "train"


def _fold(units: Sequence[Unit], ranks: Mapping[str, float], settings: Split, sides: Sequence[str]) -> dict[str, str]:
    """One fold is the test side, or, where official lists give that, the validation side."""
    if settings.stratify:
        ranks = _quantiles(units, ranks, settings.seed)
    folds = {name: int(rank * settings.folds) for name, rank in ranks.items()}
    held = [unit for unit in units if folds[unit.name] == settings.fold]
    if not held:
        raise SegError(f"split.fold {settings.fold} of {settings.folds} is empty; take fewer folds, or stratify: true")
    measured = "test" if "test" in sides else "val"
    chosen = {unit.name: measured for unit in held}
    if measured == "val":
        return {name: chosen.get(name, "train") for name in ranks}
    rest = [unit for unit in units if unit.name not in chosen]
    if len(rest) < 2:
        raise SegError(
            f"split.fold {settings.fold} of {settings.folds} takes {len(held)} of {len(units)} groups and leaves "
            "too few to train and validate; take more folds, or stratify: true"
        )
    others = {unit.name: unit.rank(settings.seed, "val") for unit in rest}
    return chosen | _shared_out(rest, others, {"val": settings.val}, settings)


def _quantiles(units: Sequence[Unit], ranks: Mapping[str, float], seed: int) -> dict[str, float]:
    """The place of each unit among those of its stratum, in [0, 1), by hash.

    Within a stratum the places are evenly spread from a start of its own, so that small strata even out.
    New units move only old ones whose place is near a boundary.
    """
    strata: defaultdict[object, list[Unit]] = defaultdict(list)
    for unit in sorted(units, key=lambda unit: ranks[unit.name]):
        strata[unit.stratum].append(unit)
    return {
        unit.name: (place + unit_interval(seed, "stratum", stratum)) / len(members)
        for stratum, members in strata.items()
        for place, unit in enumerate(members)
    }


def _present(
    units: Sequence[Unit], ranks: Mapping[str, float], shares: Mapping[str, float], sides: dict[str, str]
) -> dict[str, str]:
    """Give every side a unit, one with foreground, and one of each class that enough units show."""
    centres, start = {}, 0.0
    for side, share in [*shares.items(), ("train", 1 - sum(shares.values()))]:
        centres[side] = start + share / 2
        start += share
    presence = {unit.name: unit.presence for unit in units}
    showing = [[name for name in presence if presence[name][c]] for c in range(len(units[0].presence))]
    showing.append([name for name in presence if any(presence[name])])
    wanted = [
        names for names in [list(presence), *sorted(showing, key=len, reverse=True)] if len(names) >= len(centres)
    ]
    for names in wanted:
        for side, centre in centres.items():
            held = [sides[name] for name in names]
            if side not in held:
                counts = Counter(held)
                spare = [name for name in names if counts[sides[name]] > 1]
                needed = _alone(wanted, sides)
                chosen = min(spare, key=lambda name: (name in needed, abs(ranks[name] - centre)))
                sides[chosen] = side
    return sides


def _alone(wanted: Sequence[Sequence[str]], sides: Mapping[str, str]) -> set[str]:
    """Units that are the only ones of a list on their side."""
    found = set()
    for names in wanted:
        counts = Counter(sides[name] for name in names)
        found |= {name for name in names if counts[sides[name]] == 1}
    return found


def _check_foreground(ids: Mapping[str, Sequence[str]], samples: Sequence[Mapping[str, Any]]) -> None:
    with_foreground = {sample["id"] for sample in samples if sum(sample["pixels"][1:])}
    if bare := [side for side in SIDES if with_foreground.isdisjoint(ids[side])]:
        raise SegError(
            f"no mask of the side {' and '.join(bare)} shows a foreground class; "
            "choose another split.seed or larger shares"
        )
