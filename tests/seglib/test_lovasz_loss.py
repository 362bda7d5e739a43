import torch

from seglib.lovasz_loss import jaccard_slopes


def test_slopes_by_hand():
    errors = torch.tensor([0.1, 0.9, 0.5, 0.8])
    truth = torch.tensor([1, 1, 0, 0])
    # by error: shown, not, not, shown; Jaccard losses 1/2, 1 - 1/3, 1 - 1/4, 1
    expected = torch.tensor([1 / 4, 1 / 2, 3 / 4 - 2 / 3, 2 / 3 - 1 / 2])
    torch.testing.assert_close(jaccard_slopes(errors, truth, torch.ones(4, dtype=torch.bool)), expected)


def test_pixels_that_do_not_count_have_no_slope_and_change_none():
    errors = torch.tensor([0.1, 0.9, 7.0, 0.5, 0.8])
    counts = torch.tensor([True, True, False, True, True])
    slopes = jaccard_slopes(errors, torch.tensor([1, 1, 0, 0, 0]), counts)
    assert slopes[2] == 0
    rest = jaccard_slopes(errors[counts], torch.tensor([1, 1, 0, 0]), counts[counts])
    assert torch.equal(slopes[counts], rest)


def test_equal_errors_keep_their_order():
    slopes = jaccard_slopes(torch.ones(3), torch.tensor([1, 0, 0]), torch.ones(3, dtype=torch.bool))
    assert slopes.tolist() == [1, 0, 0]


def test_slopes_of_millions_of_pixels_are_exact():
    pixels = 1_000_000
    truth = torch.zeros(pixels, dtype=torch.long)
    truth[: pixels // 2] = 1
    slopes = jaccard_slopes(-torch.arange(pixels), truth, torch.ones(pixels, dtype=torch.bool))
    torch.testing.assert_close(slopes[: pixels // 2], torch.full((pixels // 2,), 2 / pixels), rtol=1e-6, atol=0)
