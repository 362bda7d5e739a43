"""Synthetic: seeded ellipses on noise, of any size and number, for tests, demos and scale runs."""

import hashlib
from functools import partial
from importlib.resources.abc import Traversable
from typing import Annotated

import numpy as np
from pydantic import Field

from seglib.config import Section
from seglib.io.classes import class_list
from seglib.io.sample import Generated, Sample, Spec
from seglib.seeding import seed_for

PUBLISHED = Generated()
BRIGHTNESS = 60
"""Grey values between the background and the first class, and between one class and the next."""


class Params(Section):
    """Options of the data set."""

    count: Annotated[int, Field(ge=1, le=10_000_000)]
    """Samples."""
    per_group: Annotated[int, Field(ge=1)]
    """Samples of one group."""
    height: Annotated[int, Field(ge=8, le=16384)]
    width: Annotated[int, Field(ge=8, le=16384)]
    classes: Annotated[int, Field(ge=1, le=3)]
    """Kinds of ellipses, each brighter than the last."""
    seed: int


def spec(_root: Traversable, params: Params) -> Spec:
    """One grey channel."""
    return Spec(
        classes=class_list(["background", *(f"ellipse_{c + 1}" for c in range(params.classes))]),
        channels=1,
        modality="photograph",
        licence="none; it is generated",
        citation="",
    )


def samples(_root: Traversable, params: Params) -> list[Sample]:
    """As many as asked for; more of them change none of the others."""
    return [
        Sample(
            id=f"{i:07d}",
            group=f"{i // params.per_group:07d}",
            image=partial(_image, params, i),
            mask=partial(_mask, params, i),
            fingerprint=partial(_fingerprint, params, i),
        )
        for i in range(params.count)
    ]


def _fingerprint(params: Params, number: int) -> str:
    decisive = params.model_dump(exclude={"count", "per_group"})
    return hashlib.sha256(repr((number, sorted(decisive.items()))).encode()).hexdigest()


def _mask(params: Params, number: int) -> np.ndarray:
    random = np.random.default_rng(seed_for(params.seed, number, "mask"))
    mask = np.zeros((params.height, params.width), np.uint8)
    y, x = np.ogrid[: params.height, : params.width]
    for c in range(params.classes):
        centre_y, centre_x = random.uniform(0.2, 0.8, 2) * mask.shape
        radius_y, radius_x = random.uniform(0.08, 0.25, 2) * mask.shape
        mask[((y - centre_y) / radius_y) ** 2 + ((x - centre_x) / radius_x) ** 2 <= 1] = c + 1
    return mask


def _image(params: Params, number: int) -> np.ndarray:
    noise = np.random.default_rng(seed_for(params.seed, number, "noise"))
    texture = noise.integers(0, BRIGHTNESS, (params.height, params.width, 1), np.uint8)
    return texture + BRIGHTNESS * _mask(params, number)[:, :, None]
