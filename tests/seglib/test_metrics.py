"""Every convention that the docstring of `seglib.metrics` states, by hand and against MONAI and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics.hausdorff_distance import compute_hausdorff_distance
from monai.metrics.meandice import compute_dice
from monai.metrics.meaniou import compute_iou
from monai.metrics.surface_dice import compute_surface_dice
from monai.metrics.surface_distance import compute_average_surface_distance
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score, precision_score, recall_score

from seglib.head import Head
from seglib.io.planes import class_planes, merge_planes
from seglib.io.sample import IGNORE
from seglib.measures import AT_MODEL_SIZE, COUNTS, MEASURES
from seglib.metrics import at_model_size, confusion, count, measure

SOFTMAX = Head(3, sigmoid=False, overlapping=False)
SIGMOID = Head(3, sigmoid=True, overlapping=False)
OVERLAPPING = Head(3, sigmoid=True, overlapping=True)
SHARES = ("dice", "iou", "precision", "recall", "nsd")
DISTANCES = ("hd95", "assd")
shapes = st.sampled_from([(6, 7), (3, 4, 5)])


def measured(truth, guess, head=SOFTMAX, *, probabilities=None, spacing=None, tolerance=1.0):
    """Measure two maps; without probabilities the model is sure of its prediction."""
    truth, guess = np.array(truth, np.uint8), np.array(guess, np.uint8)
    if probabilities is None:
        planes = list(class_planes(guess, head.classes, overlapping=head.overlapping))
        probabilities = np.stack(planes[head.classes - head.planes :]).astype(np.float32)
    return measure(truth, guess, probabilities, head, spacing=spacing, tolerance=tolerance)


def counted(truth, guess, head=SOFTMAX):
    return count(np.array(truth, np.uint8), np.array(guess, np.uint8), head)


def of_class(case, c):
    return {name: values[c] for name, values in case.values.items()}


def test_overlap_by_hand():
    found = of_class(measured([[1, 1, 1, 0, 0, 0]], [[0, 1, 1, 1, 1, 0]]), 0)
    assert found["dice"] == pytest.approx(2 * 2 / (3 + 4))
    assert found["iou"] == pytest.approx(2 / 5)
    assert found["precision"] == pytest.approx(2 / 4)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["volume_difference"] == pytest.approx((4 - 3) / 3)
    assert (found["both"], found["truth"], found["guess"]) == (2, 3, 4)


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID, OVERLAPPING])
def test_every_measure_and_count_has_a_value_of_each_foreground_class(head):
    case = measured([[1, 2]], [[1, 1]], head)
    assert set(case.values) == {measure.name for measure in MEASURES} | set(COUNTS)
    assert {(values.dtype, values.shape) for values in case.values.values()} == {(np.dtype(np.float64), (2,))}
    assert case.reliability.pixels.shape == (2, 15)


def test_class_absent_from_both_has_no_value():
    found = of_class(measured([[1, 1]], [[1, 0]]), 1)
    assert all(np.isnan(found[measure.name]) for measure in MEASURES)
    assert all(found[name] == 0 for name in COUNTS)


def test_missed_class_counts_as_zero_and_lies_a_diagonal_away():
    truth = np.zeros((3, 4))
    truth[0, 0] = truth[2, 3] = 2
    found = of_class(measured(truth, np.zeros((3, 4))), 1)
    assert {found[name] for name in SHARES} == {0}
    assert {found[name] for name in DISTANCES} == {5}
    assert found["volume_difference"] == -1
    assert [found[name] for name in COUNTS] == [0, 2, 0, 2, 0, 0, 0]


def test_class_found_where_there_is_none_counts_as_zero_and_lies_a_diagonal_away():
    guess = np.zeros((3, 4))
    guess[0, 0] = guess[2, 3] = 2
    found = of_class(measured(np.zeros((3, 4)), guess), 1)
    assert {found[name] for name in SHARES} == {0}
    assert {found[name] for name in DISTANCES} == {5}
    assert np.isnan(found["volume_difference"])
    assert [found[name] for name in COUNTS] == [0, 0, 2, 0, 0, 2, 2]


@pytest.mark.parametrize(
    ("shape", "spacing", "diagonal"), [((3, 4), (4.0, 4.0), 20), ((2, 4, 4), (2.0, 1.0, 1.0), 48**0.5)]
)
def test_the_diagonal_is_in_mm_where_the_spacing_is_known(shape, spacing, diagonal):
    found = measured(np.ones(shape), np.zeros(shape), spacing=spacing).values
    assert found["hd95"][0] == pytest.approx(diagonal)
    assert found["assd"][0] == pytest.approx(diagonal)


def test_a_class_that_is_shown_but_nowhere_right_has_distances_of_its_own():
    found = of_class(measured([[1, 0, 0, 0, 0, 0]], [[0, 0, 1, 0, 0, 0]], tolerance=2.0), 0)
    assert (found["dice"], found["hd95"], found["assd"], found["nsd"]) == (0, 2, 2, 1)


def test_distances_are_in_mm_where_the_spacing_is_known():
    maps = [[1, 0, 0, 0]], [[0, 0, 1, 0]]
    assert measured(*maps).values["hd95"][0] == 2
    assert measured(*maps, spacing=(3.0, 0.5)).values["hd95"][0] == 1
    assert measured(*maps, tolerance=1.0).values["nsd"][0] == 0
    assert measured(*maps, spacing=(3.0, 0.5), tolerance=1.0).values["nsd"][0] == 1


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID, OVERLAPPING])
def test_ignored_pixels_are_out_of_counts_and_calibration(head):
    probabilities = np.full((head.planes, 1, 3), 0.5, np.float32)
    case = measured([[1, IGNORE, IGNORE]], [[1, 1, 2]], head, probabilities=probabilities)
    assert case.values["dice"][0] == 1
    assert np.isnan(case.values["dice"][1])
    assert case.pixels == 1
    assert case.reliability.pixels.sum(1).tolist() == [1, 1]
    assert case.reliability.truth.sum(1).tolist() == [1, 0]
    if case.confusion is not None:
        assert case.confusion.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID, OVERLAPPING])
def test_ignored_pixels_are_background_for_distances_and_objects(head):
    found = of_class(measured([[1, 0, 0, 0, IGNORE, IGNORE]], [[1, 0, 0, 0, 0, 1]], head), 0)
    assert (found["hd95"], found["assd"], found["nsd"]) == (0, 0, 1)
    assert (found["lesions_guessed"], found["lesions_false"]) == (1, 0)
    parted = of_class(measured([[1, IGNORE, 1]], [[1, 1, 1]], head), 0)
    assert (parted["lesions"], parted["lesions_guessed"], parted["assd"]) == (2, 2, 0)


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID, OVERLAPPING])
def test_a_case_of_which_no_pixel_counts_has_no_value(head):
    case = measured(np.full((3, 3), IGNORE), np.ones((3, 3)), head)
    assert all(np.isnan(case.values[measure.name]).all() for measure in MEASURES)
    assert all((case.values[name] == 0).all() for name in COUNTS)
    assert case.pixels == 0


def test_objects_are_counted_by_class():
    case = measured([[1, 0, 2, 0, 1, 0, 0]], [[1, 0, 1, 0, 0, 0, 2]])
    assert [of_class(case, 0)[name] for name in COUNTS[3:]] == [2, 1, 2, 1]
    assert [of_class(case, 1)[name] for name in COUNTS[3:]] == [1, 0, 1, 1]


@pytest.mark.parametrize(("head", "background"), [(SOFTMAX, [[0.2, 0.2]]), (SIGMOID, []), (OVERLAPPING, [])])
def test_calibration_is_of_the_class_against_all_others(head, background):
    probabilities = np.array([*background, [0.8, 0.4], [0.1, 0.3]], np.float32)[:, None]
    case = measured([[1, 2]], [[1, 2]], head, probabilities=probabilities)
    assert case.values["calibration_error"] == pytest.approx([(0.2 + 0.4) / 2, (0.1 + 0.7) / 2])


def test_the_background_has_no_column_of_its_own():
    maps = [[0, 0, 0, 1]], [[1, 1, 1, 1]]
    assert measured(*maps).values["dice"][0] == pytest.approx(2 / 5)
    assert measured(*maps).values["dice"].shape == (2,)


def test_overlapping_classes_by_hand():
    case = measured([[1, 3, 2, 0, IGNORE]], [[3, 1, 2, 0, 3]], OVERLAPPING)
    assert case.values["both"].tolist() == [2, 1]
    assert case.values["truth"].tolist() == [2, 2]
    assert case.values["guess"].tolist() == [2, 2]
    assert case.values["dice"].tolist() == [1, 0.5]
    assert case.confusion is None
    assert case.pixels == 4


def test_confusion_has_the_truth_in_rows():
    case = measured([[0, 1, 1, 2]], [[0, 1, 2, 2]])
    assert case.confusion is not None
    assert case.confusion.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize("head", [SOFTMAX, SIGMOID, OVERLAPPING])
def test_dice_and_iou_at_model_size(head):
    truth, guess = np.array([[1, 1, IGNORE, 0]], np.uint8), np.array([[1, 0, 1, 0]], np.uint8)
    found = at_model_size(truth, guess, head)
    assert tuple(found) == AT_MODEL_SIZE
    np.testing.assert_allclose(found["dice_at_model_size"], [2 / 3, np.nan])
    np.testing.assert_allclose(found["iou_at_model_size"], [1 / 2, np.nan])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 7), shapes)
def test_each_overlapping_class_is_measured_as_if_it_were_alone(seed, foreground, shape):
    random = np.random.default_rng(seed)
    truth, guess = random.integers(0, 2**foreground, (2, *shape)).astype(np.uint8)
    truth[random.random(shape) < 0.2] = IGNORE
    probabilities = random.random((foreground, *shape), np.float32)
    together = measured(truth, guess, Head(foreground + 1, True, True), probabilities=probabilities)  # noqa: FBT003
    planes = [list(class_planes(mask, foreground + 1, overlapping=True))[1:] for mask in (truth, guess)]
    for c, (one, other) in enumerate(zip(*planes, strict=True)):
        alone = np.where(truth == IGNORE, IGNORE, one)
        case = measured(alone, other, Head(2, True, False), probabilities=probabilities[[c]])  # noqa: FBT003
        np.testing.assert_equal(of_class(together, c), of_class(case, 0))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), shapes)
def test_classes_that_do_not_overlap_are_measured_alike_either_way(seed, shape):
    random = np.random.default_rng(seed)
    truth, guess = random.integers(0, 3, (2, *shape))
    probabilities = random.random((2, *shape), np.float32)
    exclusive = measured(truth, guess, SIGMOID, probabilities=probabilities)
    merged = [merge_planes(np.stack([mask == 1, mask == 2])) for mask in (truth, guess)]
    overlapping = measured(merged[0], merged[1], OVERLAPPING, probabilities=probabilities)
    np.testing.assert_equal(dict(exclusive.values), dict(overlapping.values))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), shapes)
def test_overlap_agrees_with_monai(seed, shape):
    truth, guess = np.random.default_rng(seed).integers(0, 3, (2, *shape), dtype=np.uint8)
    found = counted(truth, guess)
    planes = _planes(truth, guess)
    shown = found.present
    for theirs, ours in ((compute_dice, found.dice), (compute_iou, found.iou)):
        values = theirs(*planes, include_background=False, ignore_empty=False)[0].numpy()
        np.testing.assert_allclose(ours[shown], values[shown], rtol=1e-6)


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI calls itself so
@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([((6, 7), None), ((6, 7), (2.0, 0.7)), ((3, 4, 5), (2.5, 0.7, 0.7))]))
def test_distances_of_every_class_agree_with_monai(seed, grid):
    shape, spacing = grid
    random = np.random.default_rng(seed)
    truth, guess = random.choice(3, (2, *shape), p=[0.6, 0.3, 0.1])
    truth.flat[0], guess.flat[-1], truth.flat[2], guess.flat[3] = 1, 1, 2, 2
    found = measured(truth, guess, spacing=spacing, tolerance=1.3).values
    planes = _planes(truth, guess)
    expected = {
        "hd95": compute_hausdorff_distance(planes[0], planes[1], percentile=95, spacing=spacing),
        "nsd": compute_surface_dice(planes[0], planes[1], [1.3, 1.3], spacing=spacing),
        "assd": compute_average_surface_distance(planes[0], planes[1], symmetric=True, spacing=spacing),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values[0].numpy(), rtol=1e-5)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), shapes)
def test_overlap_agrees_with_scikit_learn_on_flattened_labels(seed, shape):
    random = np.random.default_rng(seed)
    truth, guess = random.integers(0, 3, (2, *shape), dtype=np.uint8)
    truth[random.random(shape) < 0.2] = IGNORE
    counts = truth != IGNORE
    flat = truth[counts], guess[counts]
    found = counted(truth, guess)
    expected = {
        "dice": f1_score, "iou": jaccard_score, "precision": precision_score, "recall": recall_score
    }  # fmt: skip
    for name, score in expected.items():
        values = np.asarray(score(*flat, labels=[1, 2], average=None, zero_division=0))  # pyright: ignore
        np.testing.assert_allclose(getattr(found, name)[found.present], values[found.present])
    np.testing.assert_array_equal(confusion(truth, guess, 3), confusion_matrix(*flat, labels=[0, 1, 2]))


def _planes(truth, guess):
    """Prediction and truth, one-hot, as MONAI takes them."""
    return [torch.stack([torch.from_numpy(mask == c) for c in range(3)])[None].float() for mask in (guess, truth)]
