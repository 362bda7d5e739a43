"""How fast each exported variant is, against how well it still segments."""

from collections.abc import Sequence

from seglib.report.charts import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, Chart, Frame, Scale, Series, ticks
from seglib.report.exported import TRAINED, Exported, Variant
from seglib.report.labels import place_labels
from seglib.report.numbers import amount, decimal, significant

LEAST_DROP = 0.001
"""Range of Dice that is shown at least, so that a difference of rounding looks like none."""
LINE = 24
"""Height of a chart for each variant, so that all names have their place."""
NAMES = 112
"""Width right of the axis, for names of the best variants."""
STEPS = 3
"""About as many steps as the short axis has."""
KINDS = ("trained model", "32 bits", "16 bits", "8 bits")
ENDS = {"_fp16": "16 bits", "_int8": "8 bits"}


def speed_charts(exported: Exported) -> list[Chart]:
    """A chart for each batch that was timed: latency against Dice."""
    if "dice" not in exported.trained.figures:
        return []
    return [_chart(exported, batch) for batch in exported.batches]


def _chart(exported: Exported, batch: int) -> Chart:
    timed = [found for found in exported.variants if batch in found.latencies and "dice" in found.figures]
    timed.sort(key=lambda found: -found.latencies[batch].median)
    frame = _frame(exported, timed, batch)
    dots = {
        found.name: frame.dot(found.figures["dice"], found.latencies[batch].median, _words(found, batch), 4.5)
        for found in timed
    }
    words = "; ".join(_words(found, batch) for found in timed)
    series = [Series(kind, dots=[dots[found.name] for found in timed if _kind(found) == kind]) for kind in KINDS]
    series = [found for found in series if found.dots]
    reading = (
        "Lower is faster, further right is better. Left of the dashed line Dice is lower than that of the trained "
        f"model by more than {exported.max_drop:g}; only a smaller network may lie there."
    )
    return Chart(
        f"speed-{batch}",
        f"Latency and Dice, {amount(batch, 'image')} at once",
        f"From the slowest to the fastest: {words}.",
        reading,
        frame,
        series,
        [frame.upright(exported.trained.figure("dice") - exported.max_drop, "")],
        place_labels(list(dots), list(dots.values()), frame),
    )


def _frame(exported: Exported, timed: Sequence[Variant], batch: int) -> Frame:
    dice = [found.figures["dice"] for found in timed]
    limit = exported.trained.figure("dice") - max(exported.max_drop, LEAST_DROP)
    slowest = max(found.latencies[batch].median for found in timed)
    height = max(HEIGHT, TOP + BOTTOM + LINE * len(timed))
    across = Scale(ticks(min(*dice, limit), max(dice), STEPS), LEFT, WIDTH - NAMES)
    up = Scale(ticks(0, slowest), height - BOTTOM, TOP)
    return Frame(
        across, up, "Dice of the validation images", f"milliseconds for {amount(batch, 'image')}, median", height
    )


def _kind(variant: Variant) -> str:
    if variant.name == TRAINED:
        return KINDS[0]
    return next((kind for end, kind in ENDS.items() if variant.name.endswith(end)), KINDS[1])


def _words(variant: Variant, batch: int) -> str:
    return f"{variant.name}: {significant(variant.latencies[batch].median)} ms, Dice {decimal(variant.figures['dice'])}"
