"""Losses, one file each; the file's name is the value of `loss.name`.

A file defines `Params` (the section `loss.<name>`) and `build(params, classes) -> nn.Module`, which
maps logits [batch, classes, height, width] and class indices [batch, height, width] to a scalar and
leaves pixels of the index 255 out. torch and MONAI are imported inside `build`.
"""
