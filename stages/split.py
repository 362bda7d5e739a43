"""Assign every sample to the training, validation or test side."""

import json

from seglib.config import read_params, section
from seglib.paths import INDEX, QUALITY, SPLIT
from seglib.sections.split import Split
from seglib.splitting import balance, leaks, split_samples

SHOWN = 10
"""Leaks that are printed; `data/split.json` has all of them."""


def main() -> None:
    """Write `data/split.json`."""
    settings = section(read_params(), "split", Split)
    index = json.loads(INDEX.read_text())
    samples, clusters = index["samples"], json.loads(QUALITY.read_text(encoding="utf-8"))["clusters"]
    sides = split_samples(samples, clusters, settings)
    warnings = leaks(sides, samples, clusters)
    classes = [entry["name"] for entry in index["dataset"]["classes"]]
    summary = {"balance": balance(sides, samples, classes), "leaks": warnings}
    SPLIT.write_text(json.dumps({**sides, "summary": summary}, indent=1) + "\n")
    print(", ".join(f"{side} {len(ids)}" for side, ids in sides.items()))
    for warning in warnings[:SHOWN]:
        print(f"warning: {warning}")
    if len(warnings) > SHOWN:
        print(f"warning: and {len(warnings) - SHOWN} more leaks of the official lists")
