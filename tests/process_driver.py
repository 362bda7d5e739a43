"""Train the small recipe in as many processes as asked; the first prints what each epoch gave.

Usage: python -m tests.process_driver DEVICES BATCH_SIZE ACCUMULATE IMAGES, also under torchrun. With five
images the network has batch norm, and its running average is validated.
"""

import json
import sys

import torch

from seglib.ema import Average
from tests.training import Recipe, small_network, train_settings

devices, batch_size, accumulate, images = map(int, sys.argv[1:])
network = small_network()
averaged = images == 5
network[2] = torch.nn.BatchNorm2d(4) if averaged else torch.nn.Identity()  # dropout differs from process to process
settings = train_settings(devices=devices, batch_size=batch_size, accumulate=accumulate, epochs=3)
run = Recipe(settings, network=network, number=images).build()
if averaged:
    run.average = Average(network, 0.9)
run.fit(lambda *_: None)
kept = run.average.model if run.average else network
statistics = torch.cat([buffer.double().flatten() for buffer in kept.buffers()]) if averaged else torch.zeros(1)
everyones = run.fabric.all_gather(statistics)
assert isinstance(everyones, torch.Tensor)
if run.fabric.is_global_zero:
    assert run.validation
    print(
        json.dumps(
            {
                "curve": [[epoch.train_loss, epoch.val_loss, epoch.val_dice] for epoch in run.history],
                "cases": run.validation.dice.tolist(),
                "weights": torch.cat([weight.detach().flatten() for weight in network.parameters()]).tolist(),
                "statistics": everyones.view(run.fabric.world_size, -1).tolist(),
                "world": run.fabric.world_size,
            }
        )
    )
