import pytest
import torch

from seglib.config import parse
from seglib.errors import SegError
from seglib.models.vgg16_unet import Params, build
from seglib.sections.network import Shape

OPTIONS = {"weights": "", "sha256": "", "freeze": False, "batch_norm": False, "decoder_channels": [8, 4, 4, 4]}


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_any_number_of_channels_gives_logits_of_the_images_size(channels, batch_norm):
    params = parse(Params, {**OPTIONS, "batch_norm": batch_norm}, "model.vgg16_unet")
    with torch.device("meta"):
        network = build(params, Shape(2, channels, 4))
        logits = network(torch.zeros(2, channels, 2 * params.divisor, 3 * params.divisor))
    assert logits.shape == (2, 4, 32, 48)
    assert any("running_mean" in key for key in network.get_submodule("encoder").state_dict()) == batch_norm


@pytest.mark.parametrize("maps", [[8, 4, 4], [8, 4, 4, 4, 4], [8, 4, 4, 0]])
def test_the_decoder_has_four_levels(maps):
    with pytest.raises(SegError, match=r"model\.vgg16_unet\.decoder_channels"):
        parse(Params, {**OPTIONS, "decoder_channels": maps}, "model.vgg16_unet")
