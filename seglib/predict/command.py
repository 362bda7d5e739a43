"""The command: everything that is named, segmented and written, whatever single files are like."""

import os
import sys
import traceback
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from seglib.errors import SegError
from seglib.inputs import Input, Pixels, open_inputs, passed_over
from seglib.opening import Device, Threshold, current_settings, open_segmentation
from seglib.out_of_memory import lacks_memory
from seglib.predict.outputs import CASES, FAILED, FOLDERS, MASKS, Outputs
from seglib.predict.table import CASES_HEADER, FAILED_HEADER, Row, class_rows, write_table
from seglib.segmentation import Segmentation

TOO_LARGE = "needs more memory than there is; use a smaller --batch, leave --probabilities out, or cut it up"


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    paths: Sequence[str]
    out: Path
    model: Path
    device: Device
    threads: int
    """Of the CPU; 0: as many as the libraries choose."""
    batch: int
    overlay: bool
    probabilities: bool
    tta: bool
    threshold: Threshold | None
    """None: that of the settings."""
    force: bool


def predict(asked: Asked) -> bool:
    """Segment all that is named; tells whether every image was.

    What fails is told on stderr and in `failed.csv`, and the rest goes on. The tables tell of all that was written
    even where the run is interrupted. Raises SegError where it cannot begin.
    """
    settings = current_settings(mirrored=asked.tta, threshold=asked.threshold)
    segmentation = open_segmentation(asked.model, asked.device, asked.threads, settings=settings, batch=asked.batch)
    results = [asked.out, *(asked.out / folder for folder in FOLDERS)]
    found = list(open_inputs(asked.paths, segmentation.card, without=results))
    for path in passed_over(asked.paths, results):
        print(f"{path} is passed over: results are written there; name another --out to have it read", file=sys.stderr)
    inputs = [each for each in found if isinstance(each, Input)]
    unread = [(each.name, each.reason) for each in found if not isinstance(each, Input)]
    outputs = Outputs(
        asked.out,
        segmentation.card,
        segmentation.intensity,
        overlay=asked.overlay,
        probabilities=asked.probabilities,
    )
    outputs.check([each.name for each in inputs], force=asked.force)
    run = _Run(segmentation, outputs, inputs, unread)
    try:
        run.go(asked.batch)
    finally:
        run.write_tables()
    run.tell()
    return not run.failures


class _Run:
    """Inputs segmented one after the other, or some together, and what came of them."""

    def __init__(
        self, segmentation: Segmentation, outputs: Outputs, inputs: Sequence[Input], failures: list[tuple[str, str]]
    ) -> None:
        """`failures`: name and reason of what is known to be unreadable."""
        self.segmentation, self.outputs, self.inputs, self.failures = segmentation, outputs, inputs, failures
        self._rows: dict[str, list[Row]] = {}

    def go(self, batch: int) -> None:
        """Segment and write all inputs, as many as `batch` of which are held together."""
        with tqdm(total=len(self.inputs), desc="predict", unit="image", disable=None) as bar:
            for start in range(0, len(self.inputs), batch):
                some = self.inputs[start : start + batch]
                self._some(some)
                bar.update(len(some))

    def write_tables(self) -> None:
        """Write `cases.csv`, and `failed.csv` where something failed."""
        root = self.outputs.root
        write_table(root / CASES, CASES_HEADER, [row for each in self.inputs for row in self._rows.get(each.name, [])])
        if self.failures:
            write_table(root / FAILED, FAILED_HEADER, self.failures)
        else:
            (root / FAILED).unlink(missing_ok=True)

    def tell(self) -> None:
        """Print what became of the inputs."""
        root = self.outputs.root
        print(f"{len(self._rows)} segmented: {root / MASKS}, {root / CASES}")
        if self.failures:
            lines = [f"{name}: {reason}" for name, reason in self.failures]
            print("\n  ".join([f"{len(lines)} failed, see {root / FAILED}:", *lines]), file=sys.stderr)

    def _some(self, inputs: Sequence[Input]) -> None:
        alike: dict[Hashable, dict[str, Pixels]] = {}
        for each in inputs:
            with self._reported([each.name]):
                pixels = each.read()
                alike.setdefault(self._kind(each.name, pixels), {})[each.name] = pixels
        for group in alike.values():
            with self._reported(group):
                self._together(group)

    def _kind(self, name: str, pixels: Pixels) -> Hashable:
        """What images have in common that go through the network together; a volume goes alone."""
        return name if pixels.place else (pixels.image.shape, str(pixels.image.dtype), pixels.spacing)

    def _together(self, group: dict[str, Pixels]) -> None:
        (first, *_), keep = group.values(), self.outputs.probabilities
        if first.place:
            found = [self.segmentation.segment(first.image, first.spacing, keep=keep)]
        else:
            images = [pixels.image for pixels in group.values()]
            found = self.segmentation.segment_together(images, first.spacing, keep=keep)
        for (name, pixels), segmented in zip(group.items(), found, strict=True):
            with self._reported([name]):
                self.outputs.write(name, pixels, segmented)
                self._rows[name] = class_rows(name, segmented.mask, pixels.spacing, self.segmentation.card)

    @contextmanager
    def _reported(self, names: Sequence[str] | dict[str, Pixels]) -> Iterator[None]:
        """Keep what is wrong with an input, or too large for this machine; libraries raise all kinds of errors."""
        try:
            yield
        except Exception as error:
            self.failures += [(name, _reason(error)) for name in names]
            if os.environ.get("SEG_TRACEBACK") == "1":
                traceback.print_exc()


def _reason(error: Exception) -> str:
    if isinstance(error, SegError):
        return str(error)
    if lacks_memory(error):
        return TOO_LARGE
    said = ": ".join(filter(None, [type(error).__name__, " ".join(str(error).split())]))
    return f"cannot be processed ({said}); leave it out, or report it with what SEG_TRACEBACK=1 shows"
