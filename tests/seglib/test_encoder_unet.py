import pytest
import torch
import torch.nn.functional as F

from seglib.encoder_unet import EncoderUNet
from seglib.encoders.vgg import VGG16

MAPS = (8, 6, 4, 3)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_each_level_joins_the_encoders_features_of_its_size(batch_norm):
    torch.manual_seed(0)
    network = EncoderUNet(VGG16(2, batch_norm=batch_norm), MAPS, 5).eval()
    images, state = torch.randn(1, 2, 32, 48), network.state_dict()

    def unit(x, place):
        norm = [state[f"{place}.1.{leaf}"] for leaf in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(F.conv2d(x, state[f"{place}.0.weight"], padding=1), *norm).relu()

    with torch.no_grad():
        *skips, x = network.encoder(images)
        for level, maps in enumerate(MAPS):
            place = f"decoder.{level}"
            x = F.conv_transpose2d(x, state[f"{place}.up.weight"], state[f"{place}.up.bias"], stride=2)
            assert x.shape[1] == maps
            x = unit(unit(torch.cat([x, skips[-1 - level]], 1), f"{place}.convs.0"), f"{place}.convs.1")
        expected = F.conv2d(x, state["logits.weight"], state["logits.bias"])
        assert expected.shape == (1, 5, 32, 48)
        torch.testing.assert_close(network(images), expected)


def test_features_neither_fade_nor_explode_at_the_start():
    """Through thirteen convolutions without norms; with the weights that torch draws they fade."""
    torch.manual_seed(0)
    network = EncoderUNet(VGG16(3, batch_norm=False), MAPS, 2)
    with torch.no_grad():
        deepest = network.encoder(torch.randn(2, 3, 32, 32))[-1]
    assert 0.01 < deepest.std().item() < 10
