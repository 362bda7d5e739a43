"""Losses, one file each; the file's name is the value of `loss.name`.

A file defines `Params`, a subclass of `Loss` (the section `loss.<name>`), and `build(params, head, weights) ->
nn.Module`, which maps logits [batch, planes, *space] and mask values [batch, *space] to a float32 scalar and
leaves pixels of the value 255 out. `weights` holds one float32 a plane, with mean 1. torch and MONAI are
imported inside `build`.
"""
