"""Architectures, one file each; the file's name is the value of `model.name`.

A file defines `Params` (the section `model.<name>`) and `build(params, in_channels, classes) ->
nn.Module`, which maps normalised images [batch, channels, height, width] of any size to logits
[batch, classes, height, width]. torch and MONAI are imported inside `build`.
"""
