import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.facts import sample_facts, thumbnail
from seglib.foreground import foreground_share
from seglib.io.sample import IGNORE, Sample, SegClass, Spec


def spec(classes=3, channels=3, *, overlapping=False):
    listed = tuple(SegClass(f"c{i}", (i, i, i)) for i in range(classes))
    return Spec(listed, channels, "photograph", "", "", overlapping)


def facts(image, mask, known_spec=None, limits=None, **fields):
    sample = Sample("a", fields.pop("group", "g"), lambda: image, lambda: mask, str, **fields)
    return sample_facts(sample, "print", image, mask, known_spec or spec(channels=image.shape[-1]), limits)


def noise(shape, dtype="uint8", seed=0):
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


def test_what_is_known_of_a_sample_is_told_and_survives_json():
    image = noise((4, 6, 3))
    mask = np.array([[0, 1, 2, IGNORE, 1, 1]] * 4, np.uint8)
    known = facts(
        image,
        mask,
        spacing=(1.5, 0.5),
        side="val",
        volume="v",
        source="x/a.png",
        facts={"nuclei": 7},
        limits=([-5.0], [9.0]),
    )
    assert known | {"digest": 0, "thumbnail": 0} == {
        "id": "a",
        "group": "g",
        "volume": "v",
        "side": "val",
        "source": "x/a.png",
        "shape": [4, 6],
        "spacing": (1.5, 0.5),
        "dtype": "uint8",
        "pixels": [4, 12, 4],
        "ignored": 4,
        "least": image.min(),
        "most": image.max(),
        "mean": round(float(image.mean()), 4),
        "std": round(float(image.std()), 4),
        "grey": False,
        "limits": ([-5.0], [9.0]),
        "digest": 0,
        "thumbnail": 0,
        "more": {"nuclei": 7},
        "fingerprint": "print",
    }
    assert json.loads(json.dumps(known))["spacing"] == [1.5, 0.5]
    assert foreground_share(known) == 16 / 24


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_each_pixel_is_background_foreground_or_ignored(seed, overlapping):
    mask = np.random.default_rng(seed).choice([0, 1, 2, 3, IGNORE] if overlapping else [0, 1, 2, IGNORE], (5, 7))
    known = facts(noise((5, 7, 1)), mask.astype(np.uint8), spec(3, 1, overlapping=overlapping))
    foreground = np.isin(mask, [1, 2, 3])
    assert foreground_share(known) == pytest.approx(foreground.mean())
    assert known["pixels"][0] + known["ignored"] + foreground.sum() == mask.size
    per_class = [((mask == 1) | (mask == 3)).sum(), ((mask == 2) | (mask == 3)).sum()]
    assert not overlapping or known["pixels"][1:] == per_class


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("shape", [(40, 30, 1), (1, 1, 3), (20, 300, 6), (5, 40, 30, 1), (3, 20, 20, 3)])
def test_every_type_and_shape_of_image_has_facts(dtype, shape):
    known = facts(noise(shape, dtype), np.ones(shape[:-1], np.uint8))
    assert json.loads(json.dumps(known)) == known | {"spacing": None}
    assert known["dtype"] == dtype
    assert len(base64.b64decode(known["thumbnail"])) == 32 * 32


def test_digest_tells_values_type_and_shape_apart():
    image, mask = noise((6, 4, 1)), np.zeros((6, 4), np.uint8)
    same = facts(image.copy(), mask, group="other")["digest"]
    assert facts(image, mask)["digest"] == same
    others = [
        facts(image + np.uint8(1), mask),
        facts(image.astype(np.int16), mask),
        facts(image.reshape(4, 6, 1), mask.reshape(4, 6)),
    ]
    assert same not in {known["digest"] for known in others}
    assert len({known["digest"] for known in others}) == 3


def test_thumbnail_is_blind_to_brightness_and_contrast():
    image = noise((64, 48, 1)) // 2
    dimmed = (image.astype(np.float32) * 0.5 + 20).astype(np.float32)
    first, second = (np.frombuffer(thumbnail(each), np.uint8).astype(int) for each in (image, dimmed))
    assert np.corrcoef(first, second)[0, 1] > 0.999


def test_thumbnail_of_a_volume_is_its_middle_slice():
    volume = noise((5, 40, 40, 1))
    assert thumbnail(volume) == thumbnail(volume[2])
    assert thumbnail(volume) != thumbnail(volume[0])


def test_thumbnail_of_a_plain_image_is_black():
    assert thumbnail(np.full((30, 30, 3), 77, np.uint8)) == bytes(32 * 32)


@pytest.mark.parametrize("shape", [(6, 5), (3, 6, 5)])
def test_grey_is_three_equal_channels(shape):
    mask = np.zeros(shape, np.uint8)
    grey = np.repeat(noise((*shape, 1)), 3, -1)
    colour = grey.copy()
    colour[..., 2] += 1
    assert facts(grey, mask)["grey"]
    assert not facts(colour, mask)["grey"]
    assert not facts(grey[..., :1], mask)["grey"]
