"""Images larger than the crops that a network was trained on: windows over them, blended."""

from collections.abc import Callable

import torch
from monai.inferers.utils import sliding_window_inference
from torch import Tensor

OVERLAP = 0.5
"""Share of a window that the next one covers again, in validation."""


def sliding_logits(
    network: Callable[[Tensor], Tensor], images: Tensor, window: tuple[int, ...] | None, overlap: float = OVERLAP
) -> Tensor:
    """Logits [batch, planes, *space] of images [batch, channels, *space] of any size.

    With a window, an image that is larger is seen in windows of that size, each of which covers the share
    `overlap` of the one before, and whose logits are blended with Gaussian weights (Isensee et al., nnU-Net,
    2021); without, at once.
    """
    if window is None or all(side <= most for side, most in zip(images.shape[2:], window, strict=True)):
        return network(images)
    logits = sliding_window_inference(
        images.float(),
        window,
        sw_batch_size=1,
        predictor=network,
        overlap=overlap,
        mode="gaussian",
        padding_mode="replicate",
    )
    assert isinstance(logits, torch.Tensor)
    return logits
