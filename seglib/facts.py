"""What the index knows of a sample before any resizing: all that `check` and `split` ever look at."""

import base64
import hashlib
from typing import Any

import cv2
import numpy as np

from seglib.intensity import Limits
from seglib.io.planes import class_planes
from seglib.io.resize import resize_image
from seglib.io.sample import IGNORE, Sample, Spec

Facts = dict[str, Any]
"""`shape`, `spacing` (mm) and `dtype` of the image; `pixels` of each class and those `ignored`; `digest`
of the image's values and `thumbnail`, to find duplicates; `least`, `most`, `mean` and `std` of the
values; `limits` that they are clipped to; the official `side`; and what the data set adds as `more`.
"""
THUMBNAIL = (32, 32)


def sample_facts(
    sample: Sample,
    fingerprint: str,
    image: np.ndarray,
    mask: np.ndarray,
    spec: Spec,
    limits: Limits | None,
) -> Facts:
    """Describe a sample at its native size."""
    planes = class_planes(mask, len(spec.classes), overlapping=spec.overlapping)
    counts = [int(np.count_nonzero(plane)) for plane in planes]
    mean, std = cv2.meanStdDev(image.reshape(len(image), -1))  # numpy's take twenty times as long
    return {
        "id": sample.id,
        "group": sample.group,
        "volume": sample.volume,
        "side": sample.side,
        "source": sample.source,
        "shape": list(mask.shape),
        "spacing": sample.spacing,
        "dtype": str(image.dtype),
        "pixels": counts,
        "ignored": int(np.count_nonzero(mask == IGNORE)),
        "least": image.min().item(),
        "most": image.max().item(),
        "mean": round(mean.item(), 4),
        "std": round(std.item(), 4),
        "grey": image.shape[-1] == 3 and _is_grey(image),
        "limits": limits,
        "digest": hashlib.sha256(f"{image.dtype}{image.shape}".encode() + image.tobytes()).hexdigest()[:32],
        "thumbnail": base64.b64encode(thumbnail(image)).decode(),
        "more": dict(sample.facts),
        "fingerprint": fingerprint,
    }


def thumbnail(image: np.ndarray) -> bytes:
    """The image, or a volume's middle slice, as 32×32 grey values stretched to 0..255."""
    plane = image if image.ndim == 3 else image[image.shape[0] // 2]
    small = resize_image(np.ascontiguousarray(plane), THUMBNAIL).astype(np.float64).mean(axis=2)
    low, high = small.min(), small.max()
    return ((small - low) * (255 / max(high - low, 1e-9))).round().astype(np.uint8).tobytes()


def _is_grey(image: np.ndarray) -> bool:
    red, green, blue = cv2.split(image) if image.ndim == 3 else np.moveaxis(image, -1, 0)
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))
