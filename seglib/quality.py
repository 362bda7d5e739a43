"""What is wrong, or odd, with a data set, from the facts of its samples."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from seglib.duplicates import Pair
from seglib.facts import Facts
from seglib.foreground import foreground_share

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
RARE = 0.2
"""A property that a smaller share of the samples has is odd; a larger one is just variety."""


@dataclass(frozen=True)
class Finding:
    """One finding: what, how bad, in which samples, and what to do about it."""

    code: str
    severity: Severity
    samples: tuple[str, ...]
    message: str
    fix: str
    files: tuple[str, ...] = ()
    """Where the samples' images are, as far as it is known."""

    @property
    def key(self) -> str:
        """The line that accepts the finding."""
        return " ".join(" ".join([self.code, *self.samples]).split())


def unusable(problems: Mapping[str, str]) -> list[Finding]:
    """Samples that could not be read, with the message of each."""
    fix = "repair or remove the files; nothing runs with them"
    return [Finding("unusable", "error", (name,), message, fix) for name, message in problems.items()]


def findings(
    samples: Sequence[Facts], classes: Sequence[str], pairs: Sequence[Pair], dice: Sequence[float]
) -> list[Finding]:
    """All findings of readable samples, worst first; `dice` says how far the masks of each pair agree."""
    found = [*_masks(samples), *_images(samples), *_types(samples), *_classes(samples, classes)]
    found += [_duplicate(pair, agreement) for pair, agreement in zip(pairs, dice, strict=True)]
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), finding.key))


def summary(samples: Sequence[Facts], classes: Sequence[str]) -> dict[str, Any]:
    """Distributions a reader wants to see: sizes, types, intensities, and the share and presence of each class."""
    pixels = np.array([facts["pixels"] for facts in samples], np.int64).reshape(len(samples), len(classes))
    return {
        "samples": len(samples),
        "groups": len({facts["group"] for facts in samples}),
        "shapes": _counted("×".join(map(str, facts["shape"])) for facts in samples),
        "spacings": _counted("×".join(f"{mm:.3g}" for mm in facts["spacing"] or ()) or "unknown" for facts in samples),
        "dtypes": _counted(facts["dtype"] for facts in samples),
        "mean_intensity": _quantiles([facts["mean"] for facts in samples]),
        "foreground_share": _quantiles([foreground_share(facts) for facts in samples]),
        "ignored_pixels": sum(facts["ignored"] for facts in samples),
        "classes": {
            name: {"pixels": int(pixels[:, c].sum()), "samples": int((pixels[:, c] > 0).sum())}
            for c, name in enumerate(classes)
        },
    }


def _masks(samples: Sequence[Facts]) -> Iterator[Finding]:
    if samples and not any(foreground_share(facts) for facts in samples):
        fix = "check the classes' mask values"
        if any(facts["ignored"] for facts in samples):
            fix += "; 255 is read as 'does not count' here, so masks of 0 and 255 need another reader, such as folder"
        yield Finding("no_foreground", "error", (), "no mask shows any class but the background", fix)
        return
    background = any(facts["pixels"][0] for facts in samples)
    sliced = {facts["volume"] for facts in samples if facts["volume"] and foreground_share(facts)}
    for facts in samples:
        share = foreground_share(facts)
        if facts["ignored"] == np.prod(facts["shape"]):
            yield _of(facts, "all_ignored", "warning", "no pixel of the mask counts", "annotate or remove it")
        elif not share and (facts["volume"] or facts["id"]) not in sliced:
            yield _of(facts, "empty_mask", "note", "the mask shows only background", "check that nothing was forgotten")
        if share == 1 and background:
            yield _of(facts, "full_mask", "warning", "the mask is all foreground", "check that it is not inverted")


def _images(samples: Sequence[Facts]) -> Iterator[Finding]:
    for facts in samples:
        if facts["least"] == facts["most"] and not facts["volume"]:
            message = f"every pixel of the image has the value {facts['least']}"
            yield _of(facts, "constant_image", "warning", message, "replace or remove it")
        if facts["dtype"] == "uint16" and 0 < facts["most"] < 256 and not facts["volume"]:
            message = f"a 16-bit image whose largest value is {facts['most']}: 8-bit data in another type"
            yield _of(facts, "narrow_range", "warning", message, "save it with its full range, or with 8 bits")
    grey = [facts for facts in samples if facts["grey"]]
    if 0 < len(grey) < RARE * len(samples):
        for facts in grey:
            yield _of(
                facts, "grey_among_colour", "warning", "three equal channels, others have colour", "check its source"
            )


def _types(samples: Sequence[Facts]) -> Iterator[Finding]:
    usual, *others = [scale for scale, _ in Counter(map(_scale, samples)).most_common()] or ["uint8"]
    for facts in samples:
        if _scale(facts) in others:
            message = f"{facts['dtype']} values, while most samples have {usual} ones"
            yield _of(facts, "other_type", "error", message, "convert it: the same value must mean the same everywhere")


def _scale(facts: Facts) -> str:
    """What a sample's values mean: limits, as of CT or MRI, bring all types to one scale."""
    return "calibrated" if facts["limits"] else facts["dtype"]


def _classes(samples: Sequence[Facts], classes: Sequence[str]) -> Iterator[Finding]:
    if not any(foreground_share(facts) for facts in samples):
        return
    for c, name in enumerate(classes):
        if c and not any(facts["pixels"][c] for facts in samples):
            message = f"no mask shows the class {name}"
            yield Finding("absent_class", "warning", (name,), message, "check the class list and the mask values")


def _duplicate(pair: Pair, dice: float) -> Finding:
    what = "have the same pixels" if pair.exact else f"are nearly the same (correlation {pair.correlation:.4f})"
    return Finding(
        "exact_duplicate" if pair.exact else "near_duplicate",
        "warning",
        (pair.first, pair.second),
        f"the images {what}; their masks agree with Dice {dice:.3f}",
        "keep one, or accept it: the split keeps them on one side",
    )


def _of(facts: Facts, code: str, severity: Severity, message: str, fix: str) -> Finding:
    return Finding(code, severity, (facts["id"],), message, fix, (facts["source"],) if facts["source"] else ())


def _counted(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    shares = (0, 0.05, 0.5, 0.95, 1)
    names = ("least", "5%", "median", "95%", "most")
    return {name: round(float(x), 4) for name, x in zip(names, np.quantile(values, shares), strict=True)}
