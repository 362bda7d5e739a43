"""Charts as geometry: scales with round ticks, and marks in the coordinates of an SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

WIDTH, HEIGHT = 400, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 22, 28, 44
TICKS = 5
"""About as many steps as an axis has."""
MARKERS = (
    "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
    "M-.9-.9H.9V.9H-.9z",
    "M0-1.2 1.1.8H-1.1z",
    "M0-1.25 1.25 0 0 1.25-1.25 0z",
    "M0 1.2-1.1-.8H1.1z",
    "M-1-.4H-.4V-1H.4V-.4H1V.4H.4V1H-.4V.4H-1z",
)
"""Paths of the markers, about one unit around the origin: series differ by shape as well as by colour."""
SERIES = len(MARKERS)
"""The most series of a chart that a reader can tell apart."""


@dataclass(frozen=True)
class Tick:
    """A place on an axis, and the text there."""

    at: float
    text: str


@dataclass(frozen=True)
class Scale:
    """Maps values to coordinates; the first and the last mark are its ends."""

    marks: Sequence[float]
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The coordinate of a value; what lies beyond the axis goes to its end."""
        low, high, place = (math.log10(x) if self.log else x for x in (self.marks[0], self.marks[-1], value))
        share = min(1.0, max(0.0, (place - low) / (high - low)))
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[Tick]:
        """The marks along the axis."""
        return [Tick(self(value), tick_text(value)) for value in self.marks]


def ticks(low: float, high: float, steps: int = TICKS) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, from the last up to `low` to the first from `high` on."""
    power = 10.0 ** math.floor(math.log10((high - low) / steps))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power * steps >= (high - low) * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [place * step for place in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two of them; with 2 and 5 times these where there are few."""
    first, last = round(math.log10(low)), round(math.log10(high))
    factors = (1, 2, 5) if last - first < 2 else (1,)
    return [f * 10.0**p for p in range(first, last + 1) for f in factors if f * 10.0**p <= high * (1 + 1e-9)]


def tick_text(value: float) -> str:
    """As short as the number allows: 0.5, 2,000, 0.0002, 2e-6."""
    if 0 < abs(value) < 1e-5:
        mantissa, power = f"{value:.6e}".split("e")
        return f"{float(mantissa):g}e{int(power)}"
    return f"{value:,.6f}".rstrip("0").rstrip(".").replace("-", "−") if value else "0"


@dataclass(frozen=True)
class Dot:
    """A marker of half-width `size`, with the text that tells it from others."""

    x: float
    y: float
    size: float
    title: str


@dataclass(frozen=True)
class Label:
    """The name of a dot: a line of text with its middle at `y`, which begins or ends at `x`."""

    dot: Dot
    x: float
    y: float
    text: str
    anchor: Literal["start", "end"]


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Series:
    """Marks of one kind: a line (a path's `d`), dots, bars."""

    name: str
    line: str = ""
    dots: Sequence[Dot] = ()
    bars: Sequence[Bar] = ()


@dataclass(frozen=True)
class Guide:
    """A line to read others against."""

    x1: float
    y1: float
    x2: float
    y2: float
    text: str
    """Empty where the chart's reading explains it."""


@dataclass(frozen=True)
class Frame:
    """The two axes."""

    x: Scale
    y: Scale
    x_label: str
    y_label: str
    height: int = HEIGHT
    """Of the whole chart."""

    @classmethod
    def over(
        cls, x: tuple[float, float], y: tuple[float, float], labels: tuple[str, str], *, log_x: bool = False
    ) -> Self:
        """Axes that show two ranges of values, from a round number to a round number."""
        across = log_ticks(*_decades(*x)) if log_x else _marks(*x)
        return cls(Scale(across, LEFT, WIDTH - RIGHT, log_x), Scale(_marks(*y), HEIGHT - BOTTOM, TOP), *labels)

    def dot(self, x: float, y: float, title: str, size: float = 3.5) -> Dot:
        """A marker at a value of each axis."""
        return Dot(self.x(x), self.y(y), size, title)

    def bar(self, left: float, right: float, height: float, title: str) -> Bar:
        """A bar from one value of the horizontal axis to another, with a gap to the next."""
        x, y = self.x(left), self.y(height)
        return Bar(x + 0.5, y, round(self.x(right) - x - 1, 1), round(self.y.start - y, 1), title)

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        """The path through points."""
        return "M" + "L".join(f"{self.x(x):g} {self.y(y):g}" for x, y in points) if points else ""

    def upright(self, x: float, text: str) -> Guide:
        """A guide at a value of the horizontal axis."""
        return Guide(self.x(x), self.y.start, self.x(x), self.y.end, text)

    def diagonal(self) -> Guide:
        """The guide from the origin to the far corner."""
        return Guide(self.x.start, self.y.start, self.x.end, self.y.end, "")


@dataclass(frozen=True)
class Chart:
    """All that a template needs to draw a chart, and what it shows in words."""

    key: str
    """Its id in the page."""
    title: str
    summary: str
    """For those who cannot see it."""
    reading: str
    """How to read it."""
    frame: Frame
    series: Sequence[Series]
    guides: Sequence[Guide] = ()
    labels: Sequence[Label] = ()


def _marks(low: float, high: float) -> list[float]:
    if low == high:
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    return ticks(low, high)


def _decades(low: float, high: float) -> tuple[float, float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return 10.0**first, 10.0 ** max(last, first + 1)
