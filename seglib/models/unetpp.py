"""U-Net++: a U-Net whose skip connections are nested U-Nets (Zhou et al., DLMIA 2018)."""

from typing import TYPE_CHECKING

from seglib.sections.levels import FiveLevels
from seglib.sections.network import Shape

if TYPE_CHECKING:
    from torch import nn


class Params(FiveLevels):
    """Shape of the network."""

    @property
    def outputs(self) -> int:
        """One for each nested U-Net, of one to four levels."""
        return 4


def build(params: Params, shape: Shape) -> "nn.Module":
    """MONAI's `BasicUNetPlusPlus`; the deepest of the nested U-Nets counts as the finest output."""
    from monai.networks.nets.basic_unet import UpCat
    from monai.networks.nets.basic_unetplusplus import BasicUNetPlusPlus
    from torch import nn

    from seglib.auxiliary_outputs import AuxiliaryOutputs

    network = BasicUNetPlusPlus(
        spatial_dims=shape.dims,
        in_channels=shape.channels,
        out_channels=shape.planes,
        features=params.features,
        deep_supervision=True,
        norm=params.norm,
        dropout=params.dropout,
        upsample=params.upsample,
    )
    for block in network.modules():
        if isinstance(block, UpCat):
            block.is_pad = False  # of odd sides, which the divisor rules out; slow where CUDA is deterministic
    for level in range(1, params.outputs - shape.outputs + 1):
        setattr(network, f"final_conv_0_{level}", nn.Identity())  # nothing would train it
    return AuxiliaryOutputs(network, lambda network, images: network(images)[::-1][: shape.outputs])
