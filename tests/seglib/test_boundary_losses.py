import torch

from seglib.boundary_losses import boundary_distances


def test_distances_by_hand():
    inside = torch.tensor([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]], dtype=torch.bool)[None, None]
    expected = [[2, 1, 1, 2], [2, 1, 1, 1], [5**0.5, 2**0.5, 1, 1]]
    found = boundary_distances(inside, torch.ones(1, 1, 3, 4, dtype=torch.bool))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[0, 0], torch.tensor(expected))


def test_planes_and_images_have_their_own_distances():
    inside = torch.zeros(2, 2, 1, 3, dtype=torch.bool)
    inside[0, 0, 0, 0] = inside[1, 1, 0, 1] = True
    found = boundary_distances(inside, torch.ones(2, 1, 1, 3, dtype=torch.bool))[:, :, 0].tolist()
    assert found == [[[1, 1, 2], [0, 0, 0]], [[0, 0, 0], [1, 1, 1]]]


def test_distances_pass_over_pixels_that_do_not_count():
    counts = torch.tensor([True, False, True, True])[None, None, None]
    inside = torch.tensor([True, False, False, False])[None, None, None]
    assert boundary_distances(inside, counts).flatten().tolist() == [2, 0, 2, 3]
