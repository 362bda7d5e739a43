"""The data set card: what it is, how it was split, and what is odd about it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seglib.errors import listing
from seglib.report.classes import colours
from seglib.report.numbers import amount, count, modality, percent
from seglib.report.results import Results

SHOWN = 5
"""Shapes, spacings and the like that a line lists."""
FINDINGS = 50
"""Findings that the page lists; `data/quality.json` has all of them."""
NAMES = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Check:
    """Something that must hold for the figures to mean anything."""

    holds: bool
    text: str


@dataclass(frozen=True)
class DataClass:
    """A class of the data set, background included."""

    name: str
    colour: str
    share: str
    samples: int


@dataclass(frozen=True)
class Side:
    """Training, validation or test."""

    name: str
    samples: int
    groups: int
    shares: Sequence[str]
    """Of the pixels, class by class."""


@dataclass(frozen=True)
class DataCard:
    """What the page says of the data."""

    facts: Sequence[tuple[str, str]]
    classes: Sequence[DataClass]
    sides: Sequence[Side]
    checks: Sequence[Check]
    findings: Sequence[Mapping[str, Any]]
    counted: str
    """How many findings there are, and how many were accepted."""


def data_card(results: Results) -> DataCard:
    """Collect the card from index, quality report and split."""
    findings = results.quality["findings"]
    return DataCard(
        facts=list(_facts(results)),
        classes=_classes(results),
        sides=_sides(results),
        checks=list(_checks(results)),
        findings=findings[:FINDINGS],
        counted=_counted(findings, len(results.quality["accepted"])),
    )


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    dataset, summary = results.dataset, results.quality["summary"]
    yield "Data set", dataset["name"]
    yield "Kind", f"{modality(dataset['modality'])}, {amount(dataset['channels'], 'channel')}"
    yield "Samples", f"{count(summary['samples'])} in {amount(summary['groups'], 'group')} that the split never parts"
    yield f"Sizes, {results.pixels}", _listed(summary["shapes"])
    yield "Spacing, mm", _listed(summary["spacings"])
    yield "Values", _listed(summary["dtypes"])
    share = summary["foreground_share"]
    if share:
        ends = f"{percent(share['least'])} to {percent(share['most'])}"
        yield "Foreground", f"median {percent(share['median'])} of an image, from {ends}"
    yield "Overlapping classes", "yes" if dataset["overlapping"] else "no"
    yield "Licence", dataset["licence"] or "not stated"
    yield "Citation", dataset["citation"] or "not stated"


def _classes(results: Results) -> list[DataClass]:
    found = results.quality["summary"]["classes"]
    pixels = max(sum(entry["pixels"] for entry in found.values()), 1)
    shown = colours(results)
    return [
        DataClass(name, shown[name], percent(entry["pixels"] / pixels), entry["samples"])
        for name, entry in found.items()
    ]


def _sides(results: Results) -> list[Side]:
    balance = results.split["summary"]["balance"]
    names = [entry["name"] for entry in results.dataset["classes"]]
    return [
        Side(NAMES[side], row["samples"], row["groups"], [percent(row[name]["share"]) for name in names])
        for side, row in ((side, balance[side]) for side in NAMES)
    ]


def _checks(results: Results) -> Iterator[Check]:
    """What the split promises, seen anew in its files."""
    sides = {side: results.split[side] for side in NAMES}
    times = Counter(name for names in sides.values() for name in names)
    twice = sorted(name for name, number in times.items() if number > 1)
    yield _check(twice, f"No image is on two sides ({count(len(times))} images).", "Images on several sides")
    groups = _places({sample["id"]: sample["group"] for sample in results.samples}, sides)
    parted = sorted(group for group, places in groups.items() if len(places) > 1)
    yield _check(parted, f"No group is on two sides ({count(len(groups))} groups).", "Groups on several sides")
    yield _check_clusters(results.quality["clusters"], sides)
    other = sorted(set(sides["test"]) ^ set(results.cases.ids))
    yield _check(other, "The figures are of every image of the test side, and of no other.", "Not the test side")


def _check_clusters(clusters: Sequence[Sequence[str]], sides: Mapping[str, Sequence[str]]) -> Check:
    if not clusters:
        return Check(holds=True, text="No two images are near-identical.")
    cluster_of = {name: "/".join(cluster) for cluster in clusters for name in cluster}
    parted = [cluster for cluster, places in _places(cluster_of, sides).items() if len(places) > 1]
    images = amount(len(cluster_of), "near-identical image")
    holds = f"{images} in {amount(len(clusters), 'cluster')} are kept together, each cluster on one side."
    return _check(parted, holds, "Near-identical images on several sides")


def _check(wrong: Sequence[str], holds: str, fails: str) -> Check:
    return Check(not wrong, f"{fails}: {listing(wrong)}" if wrong else holds)


def _places(owner: Mapping[str, str], sides: Mapping[str, Sequence[str]]) -> Mapping[str, set[str]]:
    """The sides on which each owner has samples."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for side, names in sides.items():
        for name in names:
            if name in owner:
                found[owner[name]].add(side)
    return found


def _counted(findings: Sequence[Mapping[str, Any]], accepted: int) -> str:
    numbers = Counter(finding["severity"] for finding in findings)
    parts = [amount(number, severity) for severity, number in numbers.items()]
    looked = f"; {amount(accepted, 'more was looked at', 'more were looked at')} and accepted" if accepted else ""
    return f"{', '.join(parts) or 'No findings'}{looked}."


def _listed(counts: Mapping[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return listing([f"{name} ({count(number)})" for name, number in counts.items()], SHOWN)
