"""Narrower networks of the same kind."""

from collections.abc import Mapping
from typing import Any

from seglib import models, plugins
from seglib.errors import SegError, listing


def narrowed(name: str, options: Mapping[str, Any], ratio: float) -> dict[str, Any]:
    """Options of the network `name` with the share `ratio` of the feature maps of every level removed.

    What stays is rounded to even numbers, from 16 to multiples of 4, from 32 to multiples of 8, which processors
    compute with best. Raises SegError for a network whose layers do not all follow from one list of widths, and
    where no feature map would go.
    """
    option = plugins.load(models, name).Params.WIDTHS
    if not option:
        able = [other for other in plugins.names(models) if plugins.load(models, other).Params.WIDTHS]
        raise SegError(
            f"prune.ratio: {ratio}, but channels can be removed from {listing(able)} only (model.name is {name}); "
            "set 0.0, or train one of these"
        )
    if options.get("upsample") == "pixelshuffle":
        raise SegError(
            f"prune.ratio: {ratio}, but channels that pixelshuffle lays out cannot be removed; set 0.0, or train with "
            f"another model.{name}.upsample"
        )
    widths = [_kept(width, ratio) for width in options[option]]
    if widths == options[option]:
        raise SegError(
            f"prune.ratio: {ratio} is too little to remove a channel (model.{name}.{option} is {options[option]}); "
            "set more, or 0.0"
        )
    return {**options, option: widths}


def _kept(width: int, ratio: float) -> int:
    exact = width * (1 - ratio)
    step = 8 if exact >= 32 else 4 if exact >= 16 else 2
    return min(width, max(step, round(exact / step) * step))
