"""Names beside the dots of a chart, where they cover neither each other nor a dot."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from seglib.report.charts import WIDTH, Dot, Frame, Label

LETTER = 7.8
"""Width of a letter, on average, at the largest size that text in charts has: 14 pixels."""
LINE = 18.0
"""Height of a line of that text."""
GAP = 9.0
"""From the middle of a dot to its name."""
STEP = 4.0
"""By which a name moves up or down until it is free."""


class Box(NamedTuple):
    """A rectangle of the chart."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Whether the two share an area."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def place_labels(names: Sequence[str], dots: Sequence[Dot], frame: Frame) -> list[Label]:
    """A name for each dot, right or left of it, moved up or down no further than it must be."""
    taken, labels = [around(dot) for dot in dots], []
    for name, dot in zip(names, dots, strict=True):
        places = _places(name, dot, frame)
        label = min(places, key=lambda place: (_meetings(covered(place), taken), abs(place.y - place.dot.y)))
        taken.append(covered(label))
        labels.append(label)
    return labels


def covered(label: Label) -> Box:
    """What a name covers at most."""
    width = LETTER * len(label.text)
    left = label.x if label.anchor == "start" else label.x - width
    return Box(left, label.y - LINE / 2, left + width, label.y + LINE / 2)


def around(dot: Dot) -> Box:
    """What a marker covers at most."""
    half = 1.3 * dot.size
    return Box(dot.x - half, dot.y - half, dot.x + half, dot.y + half)


def _places(name: str, dot: Dot, frame: Frame) -> Iterator[Label]:
    """Right and left of the dot, at every height; not beyond the sides where one of them fits."""
    steps = int((frame.y.start - frame.y.end) / STEP)
    heights = (round(dot.y + STEP * step, 1) for step in range(-steps, steps + 1))
    for y in (y for y in heights if frame.y.end <= y <= frame.y.start or y == dot.y):
        sides = Label(dot, dot.x + GAP, y, name, "start"), Label(dot, dot.x - GAP, y, name, "end")
        fitting = [side for side in sides if covered(side).left >= frame.x.start and covered(side).right <= WIDTH]
        yield from fitting or sides[:1]


def _meetings(box: Box, taken: Sequence[Box]) -> int:
    return sum(box.meets(other) for other in taken)
