import pytest
import torch

from seglib.config import parse
from seglib.deeplab import DeepLabV3
from seglib.errors import SegError
from seglib.models.deeplabv3 import Params, build
from seglib.sections.network import Shape

OPTIONS = {
    "weights": "",
    "sha256": "",
    "freeze": False,
    "encoder": "mobilenet_v3_large",
    "output_stride": 8,
    "rates": [],
    "dropout": 0.5,
}


def test_the_network_is_built_as_asked_for():
    with torch.device("meta"):
        network = build(parse(Params, OPTIONS, "model.deeplabv3"), Shape(2, 4, 3))
        features = network.get_submodule("encoder")(torch.zeros(1, 4, 64, 64))[-1]
    assert isinstance(network, DeepLabV3)
    assert features.shape == (1, 960, 8, 8)
    assert network.logits.weight.shape[0] == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [("encoder", "resnet20"), ("output_stride", 4), ("rates", [0]), ("rates", [1.5]), ("dropout", 1.0)],
)
def test_an_option_that_makes_no_sense_is_told(key, value):
    with pytest.raises(SegError, match=rf"model\.deeplabv3\.{key}"):
        parse(Params, {**OPTIONS, key: value}, "model.deeplabv3")
