"""How wide a network's levels become when a share of them goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seglib.errors import SegError
from seglib.widths import narrowed

UNET = {"channels": [16, 32, 64, 128, 256], "strides": [], "num_res_units": 2, "dropout": 0.0}
FEATURES = {"features": [32, 64, 128, 256, 512, 32], "norm": "batch", "dropout": 0.0, "upsample": "deconv"}
RATIOS = st.floats(0, 1, exclude_max=True)


def widths(channels, ratio):
    return narrowed("unet", {**UNET, "channels": channels}, ratio)["channels"]


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (0.5, [8, 16, 32, 64, 128]),
        (0.3, [12, 24, 48, 88, 176]),
        (0.25, [12, 24, 48, 96, 192]),
        (0.9, [2, 4, 6, 12, 24]),
    ],
)
def test_every_level_loses_the_share(ratio, expected):
    assert widths(UNET["channels"], ratio) == expected


@given(st.integers(1, 4096), RATIOS)
def test_what_stays_is_near_the_share_and_a_multiple_of_what_processors_like(width, ratio):
    kept = widths([width, 4096], max(ratio, 0.01))[0]
    exact = width * (1 - max(ratio, 0.01))
    assert min(width, 2) <= kept <= width
    assert abs(kept - exact) <= max(2, exact / 8)
    if kept < width:
        assert kept % (8 if kept >= 36 else 4 if kept >= 18 else 2) == 0


@given(st.lists(st.integers(1, 512), min_size=2, max_size=5), RATIOS)
def test_the_order_of_the_widths_stays(channels, ratio):
    kept = widths([*channels, 4096], max(ratio, 0.01))
    pairs = sorted(zip(channels, kept, strict=False))
    assert [narrow for _, narrow in pairs] == sorted(kept[:-1])


def test_other_options_stay():
    found = narrowed("basic_unet", FEATURES, 0.5)
    assert found == {**FEATURES, "features": [16, 32, 64, 128, 256, 16]}


def test_a_network_that_cannot_be_narrowed_is_told_with_those_that_can():
    with pytest.raises(SegError, match=r"from basic_unet, dynunet, unet, unetpp only \(model.name is attention_unet\)"):
        narrowed("attention_unet", {"channels": [16, 32]}, 0.5)


def test_channels_that_pixelshuffle_lays_out_are_refused():
    with pytest.raises(SegError, match=r"another model.unetpp.upsample"):
        narrowed("unetpp", {**FEATURES, "upsample": "pixelshuffle"}, 0.5)


def test_a_share_that_removes_nothing_is_refused():
    with pytest.raises(SegError, match=r"prune.ratio: 0.1 is too little .*model.unet.channels is \[4, 8\]"):
        narrowed("unet", {**UNET, "channels": [4, 8]}, 0.1)
