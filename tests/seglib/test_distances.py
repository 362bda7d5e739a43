import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from monai.metrics.hausdorff_distance import compute_hausdorff_distance
from monai.metrics.surface_dice import compute_surface_dice
from monai.metrics.surface_distance import compute_average_surface_distance
from scipy.spatial.distance import cdist

from seglib.distances import surface_distances


def plane(*rows: str) -> np.ndarray:
    return np.array([[cell == "#" for cell in row] for row in rows])


def monai_distances(truth, guess, spacing, tolerance):
    """HD95, NSD and ASSD as MONAI computes them, in float32."""
    found, there = (torch.from_numpy(mask)[None, None] for mask in (guess, truth))
    hd95 = compute_hausdorff_distance(found, there, include_background=True, percentile=95, spacing=spacing)
    nsd = compute_surface_dice(found, there, [tolerance], include_background=True, spacing=spacing)
    assd = compute_average_surface_distance(found, there, include_background=True, symmetric=True, spacing=spacing)
    return [hd95.item(), nsd.item(), assd.item()]


def test_distances_by_hand():
    truth = plane("#....", ".....")
    guess = plane("...#.", "....#")
    found = surface_distances(truth, guess, (1.0, 1.0), 3.0)
    near, far = 3.0, np.sqrt(17)
    assert found.assd == pytest.approx((near + far + near) / 3)
    assert found.hd95 == pytest.approx(near + 0.95 * (far - near), rel=1e-6)
    assert found.nsd == pytest.approx(2 / 3)


def test_hd95_is_the_larger_of_the_directed_percentiles_not_the_percentile_of_both():
    truth = np.zeros((4, 60), bool)
    truth[1, 1:40] = True
    guess = truth.copy()
    guess[1, 50:59] = True
    there = [0] * 39 + list(range(11, 20))
    expected = pytest.approx(np.percentile(there, 95))
    assert surface_distances(truth, guess, (1.0, 1.0), 1.0).hd95 == expected
    assert surface_distances(guess, truth, (1.0, 1.0), 1.0).hd95 == expected
    assert np.percentile([0] * 39 + there, 95) != expected


def test_equal_objects_lie_nowhere_apart():
    truth = plane("....", ".##.", ".##.")
    assert surface_distances(truth, truth, (2.0, 2.0), 0.0) == (0, 1, 0)


def test_only_the_boundary_counts_not_what_lies_inside():
    truth = np.ones((7, 7), bool)
    hollow = truth.copy()
    hollow[3, 3] = False
    found = surface_distances(truth, hollow, (1.0, 1.0), 1.0)
    of_hole = [2.0] * 4  # four pixels around the hole; the frame of 24 pixels is the same in both
    assert found.assd == pytest.approx(sum(of_hole) / (24 + 28))
    assert found.nsd == pytest.approx(48 / 52)


def test_the_border_of_the_image_is_boundary():
    truth = plane("####", "####")
    guess = plane("##..", "##..")
    assert surface_distances(truth, guess, (1.0, 1.0), 1.0).assd == pytest.approx((2 * 1 + 2 * 2) / 12)


def test_spacing_stretches_distances_along_its_axis():
    truth, guess = plane("#..", "...", "..."), plane("...", "...", "#..")
    assert surface_distances(truth, guess, (3.0, 1.0), 1.0).hd95 == pytest.approx(6)
    assert surface_distances(truth.T, guess.T, (3.0, 1.0), 1.0).hd95 == pytest.approx(2)


@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.1, 0.2), (0.1, 0.1, 0.1)])
def test_a_distance_that_equals_the_tolerance_is_within_it(spacing):
    truth = np.zeros((4,) + (1,) * (len(spacing) - 1), bool)
    guess = truth.copy()
    truth[0], guess[3] = True, True
    assert surface_distances(truth, guess, spacing, 0.3).nsd == 1
    assert surface_distances(truth, guess, spacing, 0.2999).nsd == 0


def test_where_in_the_image_the_objects_lie_changes_nothing():
    random = np.random.default_rng(0)
    truth, guess = random.random((2, 9, 8)) < 0.3
    there, found = (np.pad(mask, ((5, 40), (31, 2))) for mask in (truth, guess))
    assert surface_distances(truth, guess, (1.0, 1.0), 1.0) == surface_distances(there, found, (1.0, 1.0), 1.0)


@st.composite
def pairs(draw):
    """Two masks with something in each, and a spacing for their axes."""
    shape = draw(st.sampled_from([(9, 7), (1, 8), (4, 5, 6), (1, 6, 7)]))
    masks = stn.arrays(bool, shape, fill=st.just(value=False)).filter(np.any)
    side = st.sampled_from([0.5, 0.7, 1.0, 2.5])
    isotropic = draw(st.booleans())
    spacing = (draw(side),) * len(shape) if isotropic else tuple(draw(side) for _ in shape)
    return draw(masks), draw(masks), spacing


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI calls itself so
@settings(max_examples=50, deadline=None)
@given(pairs())
def test_distances_agree_with_monai(pair):
    truth, guess, spacing = pair
    found = surface_distances(truth, guess, spacing, 1.1)
    np.testing.assert_allclose(found, monai_distances(truth, guess, spacing, 1.1), rtol=1e-5)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.6)])
def test_distances_of_large_objects_agree_with_all_pairs_of_points(spacing):
    rows, columns = np.indices((120, 150))
    truth = (rows - 50) ** 2 + (columns - 60) ** 2 < 40**2
    guess = ((rows - 55) / 1.3) ** 2 + (columns - 70) ** 2 < 37**2
    points = [np.argwhere(_outline(mask)) * spacing for mask in (truth, guess)]
    apart = cdist(*points)
    to_guess, to_truth = apart.min(1), apart.min(0)
    both = np.concatenate([to_guess, to_truth])
    found = surface_distances(truth, guess, spacing, 4.05)
    assert found.hd95 == pytest.approx(max(np.percentile(to_guess, 95), np.percentile(to_truth, 95)), rel=1e-5)
    assert found.nsd == pytest.approx(np.mean(both <= 4.05))
    assert found.assd == pytest.approx(both.mean(), rel=1e-5)


def _outline(mask: np.ndarray) -> np.ndarray:
    wide = np.pad(mask, 1)
    around = [np.roll(wide, step, axis)[1:-1, 1:-1] for axis in (0, 1) for step in (1, -1)]
    return mask & ~np.logical_and.reduce(around)
