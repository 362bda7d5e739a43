"""Remove channels of the trained model and train what is left a little more; off where `prune.ratio` is 0."""

import json
from collections.abc import Mapping

from seglib.config import read_params, section
from seglib.paths import PRUNE_REPORT, PRUNED
from seglib.sections.prune import NO_MODEL, Prune
from seglib.whole_files import write_whole


def main() -> None:
    """Write `models/pruned.pt` and its figures."""
    params = read_params()
    settings = section(params, "prune", Prune)
    if not settings.ratio:
        _write(NO_MODEL, {"ratio": 0.0})
        return
    from seglib.pruned_training import train_pruned

    train_pruned(params, settings, lambda model, figures: _write(model.read_bytes(), figures))


def _write(model: bytes, figures: Mapping[str, float]) -> None:
    write_whole(PRUNED, model)
    PRUNE_REPORT.mkdir(parents=True, exist_ok=True)
    (PRUNE_REPORT / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n")
    if "val_dice" in figures:
        print(
            f"{PRUNED}: {figures['weights_after']:,} of {figures['weights_before']:,} weights, validation Dice "
            f"{figures['val_dice']:.4f}; {figures['val_dice_pruned']:.4f} before it was trained on, "
            f"{figures['val_dice_before']:.4f} of the whole model"
        )
