"""DynUNet: what nnU-Net's plans may ask of it, and its single set of weights."""

import pytest

from seglib.errors import SegError
from tests.seglib.models.built import build, images, options

NARROW = [4, 8, 8]


def test_axes_may_have_strides_and_kernels_of_their_own():
    network = build("dynunet", dims=3, channels=NARROW, strides=[[1, 2, 2], 2], kernels=[[1, 3, 3], 3, 3])
    assert network(images(2, 8, 12)).shape == (2, 3, 2, 8, 12)


def test_axes_of_volumes_do_not_fit_images():
    found = options("dynunet", channels=NARROW, strides=[[1, 2, 2], 2], kernels=[[1, 3, 3], 3, 3]).misfits(2)
    assert [misfit.partition(" names 3 axes")[0] for misfit in found] == ["strides: [1, 2, 2]", "kernels: [1, 3, 3]"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": [4, 8]}, "at least 3 levels"),
        ({"channels": NARROW, "kernels": [3, 3]}, "as many kernels"),
        ({"channels": NARROW, "kernels": [3, 2, 3]}, "odd sides"),
        ({"channels": NARROW, "kernels": [3, [3, 4], 3]}, "odd sides"),
        ({"channels": NARROW, "strides": [2]}, "need 2 strides"),
    ],
)
def test_levels_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(SegError, match=message):
        options("dynunet", **changes)


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("residual", [False, True])
def test_every_norm_works_with_and_without_residual_connections(norm, residual):
    network = build("dynunet", outputs=2, channels=NARROW, norm=norm, residual=residual)
    assert [logits.shape for logits in network(images(8, 16))] == [(2, 3, 8, 16)] * 2


def test_dropout_leaves_the_logits_alone():
    for logits in build("dynunet", outputs=2, channels=NARROW, dropout=0.5)(images(8, 16)):
        assert (logits != 0).all()


def test_each_weight_is_kept_once():
    network = build("dynunet", outputs=2, channels=NARROW)
    assert len(network.state_dict()) == len(list(network.parameters()))
