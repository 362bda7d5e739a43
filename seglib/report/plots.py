"""The charts of the page: learning curves, Dice by case and by size of the object, calibration."""

from collections.abc import Sequence

import numpy as np

from seglib.report.charts import SERIES, TICKS, Chart, Dot, Frame, Series
from seglib.report.numbers import amount, count, decimal, percent, significant
from seglib.report.results import Bin, Results

BINS = 20
"""Of the histogram of Dice."""
DOTS = 3000
"""The most cases that a scatter shows; of more, those spread evenly from the worst to the best."""
FEWEST = 6
"""Objects from which thirds by size tell something."""
CURVES = {"train": "training", "val": "validation", "lr": "learning rate"}


def learning_curves(results: Results) -> list[Chart]:
    """Loss, validation Dice and learning rate by epoch; those without a finite value are left out."""
    best = int(results.training["best_epoch"])
    wanted = (
        ("loss", "Loss", "What training lowers. Validation images are never trained on: where their loss rises while "
         "that of training falls, the model begins to learn its training images by heart."),
        ("dice", "Validation Dice", "Mean Dice on the validation side. The epoch with the highest is the model."),
        ("lr", "Learning rate", "How far each step moves the weights."),
    )  # fmt: skip
    charts = (_curve(results, key, title, reading, best) for key, title, reading in wanted)
    return [chart for chart in charts if chart]


def _curve(results: Results, key: str, title: str, reading: str, best: int) -> Chart | None:
    lines = {name.partition(".")[2]: points for name, points in results.curves.items() if name.startswith(f"{key}.")}
    lines = {name: points for name, points in lines.items() if points}
    points = [point for line in lines.values() for point in line]
    if not points:
        return None
    epochs, values = max(x for x, _ in points), [y for _, y in points]
    lowest = 0.0 if key == "dice" else min(0.0, *values) if min(values) < max(values) / 3 else min(values)
    frame = Frame.over((0, epochs), (lowest, 1.0 if key == "dice" else max(values)), ("epoch", title.lower()))
    series = [
        Series(CURVES[name], frame.line(line), [_point(frame, *line[0])] if len(line) == 1 else ())
        for name, line in lines.items()
    ]
    ends = "; ".join(
        f"{CURVES[name]}: {significant(line[0][1])} in epoch {line[0][0]:g}, {significant(line[-1][1])} in epoch "
        f"{line[-1][0]:g}" for name, line in lines.items()
    )  # fmt: skip
    return Chart(key, title, f"{ends}.", reading, frame, series, [frame.upright(best, f"epoch {best}")])


def _point(frame: Frame, x: float, y: float) -> Dot:
    return frame.dot(x, y, f"epoch {x:g}: {significant(y)}")


def dice_histogram(results: Results) -> Chart | None:
    """How many cases reach which Dice, mean over the classes of a case; None where no case has a value."""
    values = results.cases.mean_of_cases("dice")
    values = values[~np.isnan(values)]
    if not values.size:
        return None
    edges = np.linspace(0, 1, BINS + 1)
    numbers = np.histogram(values, edges)[0]
    frame = Frame.over((0, 1), (0, max(TICKS, int(numbers.max()))), ("Dice of a case", "cases"))
    bars = [
        frame.bar(low, high, number, f"Dice {low:.2f} to {high:.2f}: {amount(int(number), 'case')}")
        for low, high, number in zip(edges[:-1], edges[1:], numbers, strict=True)
        if number
    ]
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    without = len(results.cases.ids) - values.size
    summary = (
        f"{amount(values.size, 'case')} from Dice {decimal(values.min())} to {decimal(values.max())}; half of them "
        f"reach {decimal(middle)}, nine of ten {decimal(low)}, one of ten {decimal(high)}."
    )
    reading = summary + (f" {amount(without, 'case')} without any object {_have(without)} no Dice." if without else "")
    guides = [frame.upright(float(middle), f"median {middle:.2f}")]
    return Chart("spread", "Dice of each case", summary, reading, frame, [Series("cases", bars=bars)], guides)


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def dice_by_size(results: Results) -> Chart | None:
    """Dice against the size of the object in the truth, a marker a case and class; None where no truth shows any."""
    cases, unit = results.cases, results.pixels
    sizes, dice = cases.columns["truth"], cases.columns["dice"]
    shown = (sizes > 0) & ~np.isnan(dice)
    if not shown.any():
        return None
    frame = Frame.over(
        (float(sizes[shown].min()), float(sizes[shown].max())),
        (0, 1),
        (f"{unit} of the truth (logarithmic)", "Dice"),
        log_x=True,
    )
    chosen = _most_frequent(results)
    limit = max(1, DOTS // len(chosen))
    series = []
    for name in chosen:
        column = cases.classes.index(name)
        rows = np.flatnonzero(shown[:, column])
        ranked = rows[np.argsort(dice[rows, column], kind="stable")]
        kept = ranked[np.linspace(0, len(ranked) - 1, min(limit, len(ranked))).round().astype(int)]
        dots = [
            frame.dot(
                sizes[row, column],
                dice[row, column],
                f"{cases.ids[row]}: Dice {decimal(dice[row, column])}, {count(sizes[row, column])} {unit}",
                2.8,
            )
            for row in kept
        ]
        series.append(Series(name, dots=dots))
    summary = _thirds(sizes[shown], dice[shown], unit)
    reading = f"{summary} Point at a marker to see which case it is.{_left_out(results)}"
    return Chart("size", "Dice by size of the object", summary, reading, frame, series)


def _thirds(sizes: np.ndarray, dice: np.ndarray, unit: str) -> str:
    if len(sizes) < FEWEST:
        return f"{amount(len(sizes), 'case')}, too few to tell whether small objects fare worse."
    small, large = np.quantile(sizes, (1 / 3, 2 / 3))
    below, above = dice[sizes <= small].mean(), dice[sizes >= large].mean()
    return (
        f"In the third with the smallest objects (up to {count(small)} {unit}) the mean Dice is {decimal(below)}, "
        f"in the third with the largest (from {count(large)}) {decimal(above)}."
    )


def calibration(results: Results) -> Chart | None:
    """Reliability diagram: how often the model is right where it is so sure; None where nothing is known."""
    if not results.calibration:
        return None
    frame = Frame.over((0, 1), (0, 1), ("predicted probability", "share that is of the class"))
    chosen = _most_frequent(results)
    bins = {name: [found for found in results.calibration if found.name == name] for name in chosen}
    series = [Series(name, *_reliability(frame, found)) for name, found in bins.items() if found]
    errors = [f"{name} {decimal(calibration_error(found))}" for name, found in bins.items() if found]
    summary = f"Expected calibration error (ECE): {', '.join(errors)}."
    reading = (
        f"{summary} It is the mean gap to the dashed diagonal over all {results.pixels}; 0 is perfect. Below it the "
        f"model is too sure that the class is there, above it not sure enough. Larger markers stand for more "
        f"{results.pixels}.{_left_out(results)}"
    )
    diagonal = [frame.diagonal()]
    return Chart("calibration", "Calibration", summary, reading, frame, series, diagonal)


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean gap of probability and frequency, weighted by pixels (Naeini et al., AAAI 2015)."""
    total = sum(found.pixels for found in bins)
    return sum(found.pixels * abs(found.confidence - found.frequency) for found in bins) / max(total, 1)


def _reliability(frame: Frame, bins: Sequence[Bin]) -> tuple[str, list[Dot]]:
    most = max(found.pixels for found in bins)
    dots = [
        frame.dot(
            found.confidence,
            found.frequency,
            f"{found.name}: probability {found.confidence:.2f}, of the class {percent(found.frequency)}, "
            f"{count(found.pixels)} pixels",
            round(2.2 + 3.3 * (found.pixels / most) ** 0.5, 1),
        )
        for found in bins
    ]
    return frame.line([(found.confidence, found.frequency) for found in bins]), dots


def _most_frequent(results: Results) -> list[str]:
    """As many classes as a chart can tell apart, in their own order."""
    ranked = sorted(results.classes, key=lambda found: -found.frequency)[:SERIES]
    return [found.name for found in results.classes if found in ranked]


def _left_out(results: Results) -> str:
    rest = len(results.classes) - SERIES
    return f" Shown are the {SERIES} most frequent classes of {len(results.classes)}." if rest > 0 else ""
