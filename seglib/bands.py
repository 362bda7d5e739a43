"""Maps of large images, found and resized in bands of rows, so that no map is ever held whole.

A band is [planes, rows, *rest]: rows of the first axis, the other axes in full. Bands of one image follow each other
without a gap.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from monai.data.utils import compute_importance_map, dense_patch_slices
from torch import Tensor

from seglib.io.resize import resize_image

BAND = 1 << 24
"""Values of a band that is resized: 64 MiB of float32."""


def blended_bands(
    look: Callable[[np.ndarray], Tensor], image: np.ndarray, window: tuple[int, ...], overlap: float
) -> Iterator[Tensor]:
    """The logits that `seglib.sliding_window` finds, float32 in bands; what is held is as high as a window.

    `look`: raw values [*window, channels] to logits [planes, *window], on the CPU; `image`: [*shape, channels].
    """
    space = image.shape[:-1]
    outer = tuple(map(max, space, window))
    before = tuple((most - side) // 2 for most, side in zip(outer, space, strict=True))
    weight, sums = compute_importance_map(window, mode="gaussian"), None
    for where in dense_patch_slices(outer, window, _steps(outer, window, overlap)):
        logits = look(_cut(image, where, before))
        sums = sums or _Sums(len(logits), window[0], outer[1:])
        if (rows := where[0].start - sums.top) > 0:
            yield _inside(sums.finish(rows), sums.top - rows, before, space)
        sums.add(logits, weight, where[1:])
    assert sums
    yield _inside(sums.finish(window[0]), sums.top - window[0], before, space)


class _Sums:
    """Weighted logits and their weights, of as many rows as a window has."""

    def __init__(self, planes: int, rows: int, rest: tuple[int, ...]) -> None:
        self.top = 0
        """The image's row that is held as the first."""
        self._logits, self._weights = torch.zeros(planes, rows, *rest), torch.zeros(rows, *rest)

    def add(self, logits: Tensor, weight: Tensor, rest: tuple[slice, ...]) -> None:
        self._logits[:, :, *rest] += logits * weight
        self._weights[:, *rest] += weight

    def finish(self, rows: int) -> Tensor:
        """Means of the first rows, which no window reaches any more; moves on behind them."""
        found = self._logits[:, :rows] / self._weights[:rows]
        self._logits = torch.cat([self._logits[:, rows:], torch.zeros_like(self._logits[:, :rows])], 1)
        self._weights = torch.cat([self._weights[rows:], torch.zeros_like(self._weights[:rows])])
        self.top += rows
        return found


def _steps(outer: tuple[int, ...], window: tuple[int, ...], overlap: float) -> tuple[int, ...]:
    """From one window to the next along each axis, as MONAI has it."""
    each = zip(outer, window, strict=True)
    return tuple(side if side == most else max(1, int(side * (1 - overlap))) for most, side in each)


def _cut(image: np.ndarray, where: tuple[slice, ...], before: tuple[int, ...]) -> np.ndarray:
    """A window; beyond the image's border its pixels are repeated."""
    each = zip(where, before, image.shape[:-1], strict=True)
    places = [np.clip(np.arange(part.start, part.stop) - shift, 0, side - 1) for part, shift, side in each]
    return image[np.ix_(*places)]


def _inside(band: Tensor, top: int, before: tuple[int, ...], space: tuple[int, ...]) -> Tensor:
    """What of a band lies in the image."""
    first, last = max(before[0] - top, 0), before[0] + space[0] - top
    rest = (slice(shift, shift + side) for shift, side in zip(before[1:], space[1:], strict=True))
    return band[:, first:last, *rest]


def resized_bands(bands: Iterable[np.ndarray], rows: int, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Resize float32 maps of `rows` rows to `shape`, as `seglib.io.resize` does but for the last digits."""
    held, top, done = None, 0, 0
    for part in _parts(bands, shape[1:]):
        held = part if held is None else np.concatenate([held, part], 1)
        most = max(1, BAND // held[:, 0].size)
        while done < shape[0]:
            first, weights = _row_weights(np.arange(done, min(done + most, shape[0])), rows, shape[0])
            if first + weights.shape[1] > top + held.shape[1]:
                break
            near = held[:, first - top : first - top + weights.shape[1]]
            yield np.matmul(weights, near.reshape(*near.shape[:2], -1)).reshape(len(near), len(weights), *shape[1:])
            done += len(weights)
            held, top = held[:, first - top :], first


def _parts(bands: Iterable[np.ndarray], rest: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The bands, lower ones, with all axes resized but that of the rows."""
    for band in bands:
        most = max(1, BAND // (len(band) * int(np.prod(rest))))
        for start in range(0, band.shape[1], most):
            part = band[:, start : start + most]
            yield np.stack([resize_image(plane[..., None], (part.shape[1], *rest))[..., 0] for plane in part])


def _row_weights(rows: np.ndarray, have: int, want: int) -> tuple[int, np.ndarray]:
    """Which of `have` rows make each of these of the `want` rows: the first, and weights [rows, from the first on].

    Means over areas where they become fewer, else linear between the two nearest centres.
    """
    scale = have / want
    if have > want:
        low, high = rows * scale, (rows + 1) * scale
        first, last = int(low[0]), min(int(np.ceil(high[-1])), have)
        near = np.arange(first, last)
        weights = np.minimum(near + 1, high[:, None]) - np.maximum(near, low[:, None])
        weights = weights.clip(0) / weights.clip(0).sum(1, keepdims=True)
    else:
        centre = ((rows + 0.5) * scale - 0.5).clip(0, have - 1)
        first, last = int(centre[0]), min(int(centre[-1]) + 2, have)
        weights = (1 - np.abs(np.arange(first, last) - centre[:, None])).clip(0)
    return first, weights.astype(np.float32)
