import numpy as np
import torch

from seglib.checkpoint import Card, Segmenter, build_segmenter, load_checkpoint, save_checkpoint
from seglib.inference import predict

CARD = Card(
    model="unet",
    options={"channels": [4, 8], "strides": [], "num_res_units": 0, "dropout": 0.0},
    dataset={
        "channels": 3,
        "classes": [{"name": "background", "colour": [0, 0, 0]}, {"name": "bright", "colour": [9, 9, 9]}],
    },
    image_size=0.5,
    versions={},
)


class Bright(torch.nn.Module):
    """Class 1 where the normalised image is above the mean."""

    def forward(self, images):
        return torch.stack([-images[:, 0], images[:, 0]], 1) * 50


def test_prediction_has_the_images_own_size_and_sees_raw_values():
    image = np.zeros((41, 63, 3), np.uint8)
    image[10:30, 20:50] = 200
    segmenter = Segmenter(Bright(), torch.full((3,), 100.0), torch.full((3,), 50.0))
    found = predict(segmenter, CARD, image, torch.device("cpu"))
    assert (found.shape, found.dtype) == ((41, 63), np.uint8)
    assert (found == (image[:, :, 0] > 100)).mean() > 0.95


def test_checkpoint_comes_back_as_it_was_and_in_the_same_bytes(tmp_path):
    torch.manual_seed(0)
    model = build_segmenter(CARD, torch.zeros(3), torch.ones(3)).eval()
    for name in ("one.pt", "another.pt"):
        save_checkpoint(tmp_path / name, CARD, model.state_dict())
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "another.pt").read_bytes()
    read, card = load_checkpoint(tmp_path / "one.pt")
    assert card == CARD
    image = torch.randint(0, 256, (1, 3, 20, 21))
    with torch.inference_mode():
        assert torch.equal(read(image), model(image))
