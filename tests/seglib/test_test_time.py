"""Symmetries of the grid: each once, each undone, averaged as by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seglib.io.resize import Geometry
from seglib.test_time import mean, scaled, views

KINDS = [(True, False), (False, True), (True, True), (False, False)]
sides = st.lists(st.integers(1, 6), min_size=2, max_size=3)


def numbered(space):
    return torch.arange(float(np.prod(space))).view(1, 1, *space)


def averaged(network, image, *, flips, rotations):
    asked = views(image.ndim - 2, flips=flips, rotations=rotations)
    return mean(view.undo(network(view.apply(image))) for view in asked)


@given(sides, st.sampled_from(KINDS))
def test_every_view_is_undone(space, kind):
    image = numbered(space)
    for view in views(len(space), flips=kind[0], rotations=kind[1]):
        assert torch.equal(view.undo(view.apply(image)), image)


@pytest.mark.parametrize(("dims", "numbers"), [(2, [4, 4, 8, 1]), (3, [8, 4, 16, 1])])
def test_every_symmetry_is_seen_once_and_the_image_as_it_is_first(dims, numbers):
    image = numbered([3] * dims)
    for (flips, rotations), number in zip(KINDS, numbers, strict=True):
        found = [view.apply(image) for view in views(dims, flips=flips, rotations=rotations)]
        assert torch.equal(found[0], image)
        assert len({tuple(view.flatten().tolist()) for view in found}) == len(found) == number


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("flips", "rotations"), KINDS)
def test_views_are_a_group(dims, flips, rotations):
    """Any one after any other is again one of them."""
    image, asked = numbered([3] * dims), views(dims, flips=flips, rotations=rotations)
    known = {tuple(view.apply(image).flatten().tolist()) for view in asked}
    twice = {tuple(one.apply(other.apply(image)).flatten().tolist()) for one in asked for other in asked}
    assert twice == known


def test_turns_stay_in_the_plane_of_the_last_two_axes():
    image = numbered([2, 3, 3])
    for view in views(3, flips=False, rotations=True):
        assert torch.equal(view.apply(image)[0, 0, 0].flatten().sort().values, image[0, 0, 0].flatten())


@pytest.mark.parametrize("space", [(4, 7), (3, 4, 5)])
@pytest.mark.parametrize(("flips", "rotations"), KINDS)
def test_a_network_that_is_equivariant_gives_the_same(space, flips, rotations):
    """Blurring with a box is the same for an image and its mirror image."""
    pool = torch.nn.AvgPool2d if len(space) == 2 else torch.nn.AvgPool3d
    blur, image = pool(3, 1, 1), torch.rand(1, 1, *space, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(averaged(blur, image, flips=flips, rotations=rotations), blur(image))


def left(images):
    """Each pixel becomes what its left neighbour is."""
    return torch.roll(images, 1, -1) * (torch.arange(images.shape[-1]) > 0)


def test_what_an_asymmetrical_network_finds_is_averaged_as_by_hand():
    """Mirrored, the left neighbour is the right one; turned, it is the upper or the lower one."""
    image = torch.tensor([[1.0, 2, 4], [8, 16, 32]])[None, None]
    assert averaged(left, image, flips=False, rotations=False)[0, 0].tolist() == [[0, 1, 2], [0, 8, 16]]
    assert averaged(left, image, flips=True, rotations=False)[0, 0].tolist() == [[1, 2.5, 1], [8, 20, 8]]
    neighbours = [[10 / 4, 21 / 4, 34 / 4], [17 / 4, 42 / 4, 20 / 4]]
    assert averaged(left, image, flips=False, rotations=True)[0, 0].tolist() == neighbours
    assert averaged(left, image, flips=True, rotations=True)[0, 0].tolist() == neighbours


def test_a_mean_of_one_is_that_one():
    only = torch.rand(3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(mean([only]), only)
    assert mean(iter([np.array([1.0, 2.0]), np.array([3.0, 6.0]), np.array([2.0, 4.0])])).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("factor", "content", "canvas"),
    [(1.0, (7, 9), (9, 9)), (0.5, (4, 4), (4, 4)), (2.0, (14, 18), (18, 18)), (0.01, (1, 1), (1, 1))],
)
def test_a_scale_changes_content_and_canvas(factor, content, canvas):
    """Halves round to the even number."""
    assert scaled(Geometry((50, 60), (7, 9), (9, 9)), factor) == Geometry((50, 60), content, canvas)
