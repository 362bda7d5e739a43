"""Device, precision and processes, by Lightning Fabric."""

import os
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision

from seglib.device import open_device, resolve_precision
from seglib.errors import SegError
from seglib.sections.train import Train

FSDP_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


class Autocast(MixedPrecision):
    """Automatic mixed precision that leaves the images as they are: raw values need all their digits."""

    def convert_input(self, data: Any) -> Any:
        """Pass on."""
        return data


def open_fabric(settings: Train) -> Fabric:
    """Start as many processes as the settings say, on their devices; raises SegError where these cannot be had."""
    device = open_device(settings, deterministic=settings.deterministic)
    strategy = settings.strategy
    if strategy == "auto":
        strategy = "ddp" if settings.devices * settings.nodes > 1 else "auto"
    if strategy == "fsdp" and device.type != "cuda":
        raise SegError("train.strategy: fsdp needs GPUs; take auto or ddp")
    processes = int(os.environ.get("WORLD_SIZE", "0"))
    if processes not in (0, settings.devices * settings.nodes):
        raise SegError(
            f"{processes} processes were started, but train.devices: {settings.devices} × train.nodes: "
            f"{settings.nodes} makes {settings.devices * settings.nodes}; make them agree"
        )
    have = torch.cuda.device_count()
    if device.type == "cuda" and settings.devices > have:
        raise SegError(f"train.devices: {settings.devices}, but this machine has {have}")
    fabric = Fabric(
        accelerator=device.type,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy=strategy,
        **_precision(settings, device),
    )
    if settings.nodes > 1:
        address = ":".join(os.environ.get(key, "?") for key in ("MASTER_ADDR", "MASTER_PORT"))
        print(f"waiting at {address} for all {settings.devices * settings.nodes} processes", flush=True)
    fabric.launch()
    torch.set_num_threads(settings.threads)
    return fabric


def _precision(settings: Train, device: torch.device) -> dict[str, Any]:
    wanted = resolve_precision(settings.precision, device)
    if wanted == "fp16" and device.type == "cpu":
        raise SegError("train.precision: fp16 needs a GPU; take auto, bf16 or fp32")
    if wanted == "fp32" or settings.strategy == "fsdp":
        return {"precision": FSDP_PRECISIONS[wanted]}
    return {"plugins": [Autocast("bf16-mixed" if wanted == "bf16" else "16-mixed", device.type)]}
