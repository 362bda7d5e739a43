"""Assign every sample to the training, validation or test side."""

import json

from seglib.config import read_params, section
from seglib.paths import INDEX, SPLIT
from seglib.sections.split import Split
from seglib.splitting import split_samples
from seglib.stage import run_stage


def main() -> None:
    """Write `data/split.json`."""
    settings = section(read_params(), "split", Split)
    sides = split_samples(json.loads(INDEX.read_text())["samples"], settings)
    SPLIT.write_text(json.dumps(sides, indent=1) + "\n")
    print(", ".join(f"{side} {len(ids)}" for side, ids in sides.items()))


if __name__ == "__main__":
    run_stage("split", main)
