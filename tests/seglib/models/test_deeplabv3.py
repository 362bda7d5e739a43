"""DeepLabV3 and DeepLabV3+, which have the same options."""

from types import ModuleType

import pytest
import torch

from seglib.config import parse
from seglib.deeplab import DeepLabV3, DeepLabV3Plus
from seglib.errors import SegError
from seglib.models import deeplabv3, deeplabv3plus
from seglib.sections.network import Shape

BOTH = pytest.mark.parametrize(
    ("plugin", "kind"), [(deeplabv3, DeepLabV3), (deeplabv3plus, DeepLabV3Plus)], ids=["deeplabv3", "deeplabv3plus"]
)
OPTIONS = {
    "weights": "",
    "sha256": "",
    "freeze": False,
    "encoder": "mobilenet_v3_large",
    "output_stride": 8,
    "rates": [],
    "dropout": 0.5,
}


@BOTH
def test_the_network_is_built_as_asked_for(plugin: ModuleType, kind: type[DeepLabV3]) -> None:
    with torch.device("meta"):
        network = plugin.build(parse(plugin.Params, OPTIONS, "model.deeplab"), Shape(2, 4, 3))
        features = network.get_submodule("encoder")(torch.zeros(1, 4, 64, 64))[-1]
    assert type(network) is kind
    assert features.shape == (1, 960, 8, 8)
    assert network.logits.weight.shape[0] == 3


@BOTH
@pytest.mark.parametrize(
    ("key", "value"),
    [("encoder", "resnet20"), ("output_stride", 4), ("rates", [0]), ("rates", [1.5]), ("dropout", 1.0)],
)
def test_an_option_that_makes_no_sense_is_told(
    plugin: ModuleType, kind: type[DeepLabV3], key: str, value: object
) -> None:
    with pytest.raises(SegError, match=rf"model\.deeplab\.{key}"):
        parse(plugin.Params, {**OPTIONS, key: value}, "model.deeplab")
