"""The quality gate: findings, a report and a contact sheet from the index and the cache."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seglib.contact_sheet import Tile, draw_sheet
from seglib.duplicates import clusters, find_pairs
from seglib.errors import SegError, listing
from seglib.facts import Facts
from seglib.io.cache import Tensors
from seglib.io.resize import resize_mask
from seglib.io.sample import IGNORE
from seglib.overlays import Palette, spread
from seglib.quality import SEVERITIES, Finding, findings, summary, unusable
from seglib.sections.check import Check

SHOWN = 10
"""Findings of one kind that a message lists."""


@dataclass(frozen=True)
class Report:
    """What the gate found, without what has been accepted."""

    findings: list[Finding]
    accepted: list[Finding]
    clusters: list[list[str]]
    summary: dict[str, Any]

    @property
    def errors(self) -> list[Finding]:
        """The findings that stop the pipeline."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def as_json(self) -> str:
        """The text of `data/quality.json`."""
        content = {
            "findings": [asdict(finding) | {"key": finding.key} for finding in self.findings],
            "accepted": [finding.key for finding in self.accepted],
            "clusters": self.clusters,
            "summary": self.summary,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def describe(self) -> str:
        """The findings as a user reads them, worst first."""
        lines = []
        for severity in SEVERITIES:
            for code in sorted({f.code for f in self.findings if f.severity == severity}):
                same = [f for f in self.findings if f.code == code and f.severity == severity]
                lines.append(f"{severity}: {code} ({len(same)}): {same[0].fix}")
                lines += [f"    {_place(f)}: {f.message}" for f in same[:SHOWN]]
                lines += [f"    and {len(same) - SHOWN} more"] if len(same) > SHOWN else []
        numbers = {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}
        counts = [f"{number} {severity}{'s'[: number != 1]}" for severity, number in numbers.items()]
        return "\n".join([*_overview(self.summary), *lines, f"{', '.join(counts)}, {len(self.accepted)} accepted"])


def _place(finding: Finding) -> str:
    names = " ".join(finding.samples) or "the data set"
    return f"{names} ({', '.join(finding.files)})" if finding.files else names


def _overview(summary: Mapping[str, Any]) -> list[str]:
    """What the data set is like, in three lines."""
    if not summary:
        return []
    shapes = [f"{shape} ({number})" for shape, number in summary["shapes"].items()]
    pixels = sum(found["pixels"] for found in summary["classes"].values())
    classes = [
        f"{name} {found['pixels'] / max(pixels, 1):.2%} in {found['samples']}"
        for name, found in summary["classes"].items()
    ]
    return [
        f"{summary['samples']} samples in {summary['groups']} groups, {', '.join(summary['dtypes'])}",
        f"sizes: {listing(shapes, SHOWN)}",
        f"classes, as a share of the pixels and in how many samples: {listing(classes, 2 * SHOWN)}",
    ]


def inspect(
    samples: Sequence[Facts],
    dataset: Mapping[str, Any],
    cache: Mapping[str, Tensors],
    settings: Check,
    accepted: Sequence[str],
    problems: Mapping[str, str],
) -> Report:
    """Look at every sample's facts, and at the cached masks of those that look alike."""
    classes = [entry["name"] for entry in dataset["classes"]]
    pairs = find_pairs(samples, settings.near_duplicate)
    dice = [_mask_dice(cache[pair.first], cache[pair.second]) for pair in pairs]
    found = [*unusable(problems), *findings(samples, classes, pairs, dice)]
    return Report(
        findings=[finding for finding in found if finding.key not in accepted or finding.severity == "error"],
        accepted=[finding for finding in found if finding.key in accepted and finding.severity != "error"],
        clusters=clusters([(pair.first, pair.second) for pair in pairs]),
        summary=summary(samples, classes),
    )


def read_accepted(path: Path) -> list[str]:
    """The keys of the accepted findings, a line each; `#` starts a comment, if it is no part of a key.

    Raises SegError where the file is missing.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise SegError(f"{path} is missing; an empty file accepts nothing") from None
    plain = [" ".join(line.split()) for line in lines]
    entries = [line for line in plain if line and not line.startswith("#")]
    return list(dict.fromkeys(key for line in entries for key in (line, line.partition(" #")[0])))


def draw_contact_sheet(
    path: Path, report: Report, dataset: Mapping[str, Any], cache: Mapping[str, Tensors], number: int
) -> None:
    """Write a sheet of `number` samples: those with findings first, then evenly over the ids."""
    notes: dict[str, str] = {}
    for finding in report.findings:
        for name in finding.samples:
            notes.setdefault(name, finding.code)
    odd = [name for name in notes if name in cache][:number]
    plain = spread(sorted(cache.keys() - set(odd)), number - len(odd))
    palette = Palette([tuple(entry["colour"]) for entry in dataset["classes"]], dataset["overlapping"])
    tiles = [Tile(name, notes.get(name, ""), *_plane(cache[name])) for name in [*odd, *plain]]
    draw_sheet(path, tiles, palette)


def _plane(tensors: Tensors) -> tuple[np.ndarray, np.ndarray]:
    """Image [height, width, channels] and mask of a sample; of a volume the middle of the slices that count."""
    image, mask = np.moveaxis(tensors["image"].numpy(), 0, -1), tensors["mask"].numpy()
    if mask.ndim == 2:
        return image, mask
    counts = np.flatnonzero((mask != IGNORE).any((1, 2)))
    middle = counts[len(counts) // 2] if len(counts) else len(mask) // 2
    return image[middle], mask[middle]


def _mask_dice(first: Tensors, second: Tensors) -> float:
    """Dice over all foreground classes at once, the second mask brought to the size of the first."""
    truth = _plane(first)[1]
    guess = resize_mask(np.ascontiguousarray(_plane(second)[1]), truth.shape)
    a, b = ((mask > 0) & (mask != IGNORE) for mask in (truth, guess))
    total = int(a.sum() + b.sum())
    return 2 * int((a & b & (truth == guess)).sum()) / total if total else 1.0
