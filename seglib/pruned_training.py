"""From the trained model to one of fewer channels that has been trained on."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from seglib.checkpoint import Card, Segmenter, load_checkpoint
from seglib.fabric import open_fabric
from seglib.model_table import cost
from seglib.out_of_memory import explained
from seglib.paths import BEST, CACHE, INDEX, SPLIT, training_logs
from seglib.pruning import pruned, weight_count
from seglib.sections.prune import Prune
from seglib.training_run import Run
from seglib.training_setup import Setup
from seglib.widths import narrowed

Figures = dict[str, float | int]


def train_pruned(params: Mapping[str, Any], settings: Prune, write: Callable[[Path, Figures], None]) -> None:
    """Prune `models/best.pt` and fine-tune what is left as `train` does, with the epochs and the rate of `settings`.

    `write` gets the file of the epoch with the best validation Dice, and the figures to tell. Raises SegError where
    the network cannot be pruned, before anything is trained.
    """
    trained, card = load_checkpoint(BEST)
    setup = Setup(_tuning(params, settings, card), INDEX, CACHE, SPLIT, stage="prune")
    fabric = open_fabric(setup.settings)
    smaller = pruned(trained, card, setup.card)
    figures = _costs(trained, smaller, setup)
    run = Run("prune", params, fabric)
    with run.resume.alone(fabric.barrier), explained(setup.settings, setup.pixels.image_size):
        training = setup.further_training(fabric, smaller)
        dice = {
            "val_dice_before": training.validator.run(fabric.to_device(trained)).mean_dice,
            "val_dice_pruned": training.validator.run(training.model).mean_dice,
        }
        best = run.fit(training, setup.card, training_logs() / "last_good_pruned.pt")
        if fabric.is_global_zero:
            run.refuse_edits()
            dice["val_dice"] = best.val_dice
            write(
                run.resume.best(best.epoch),
                {"ratio": settings.ratio, **figures, **{name: round(value, 6) for name, value in dice.items()}},
            )
            run.resume.clear()


def _tuning(params: Mapping[str, Any], settings: Prune, card: Card) -> dict[str, Any]:
    """The parameters of the fine-tuning, those of a narrower network among them."""
    return {
        **params,
        "model": {
            **params["model"],
            "name": card.model,
            card.model: narrowed(card.model, card.options, settings.ratio),
        },
        "train": {**params["train"], "epochs": settings.epochs, "lr": settings.lr},
    }


def _costs(trained: Segmenter, smaller: Segmenter, setup: Setup) -> Figures:
    """Weights, and operations for the first validation image, or for one crop."""
    space = setup.crop or tuple(setup.cache[setup.sides["val"][0]]["mask"].shape)
    figures: Figures = {}
    for when, model in (("before", trained), ("after", smaller)):
        flops = cost(copy.deepcopy(model), (setup.card.dataset["channels"], *space)).flops
        figures |= {f"weights_{when}": weight_count(model), f"flops_{when}": flops}
    return figures
