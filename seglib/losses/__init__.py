"""Losses, one file each; the file's name is the value of `loss.name`.

A file defines `Params` (the section `loss.<name>`) and `build(params, *, overlapping) -> nn.Module`,
which maps logits [batch, planes, *space] and mask values [batch, *space] to a scalar and leaves pixels
of the value 255 out. There is a plane a class, or one a foreground class where classes overlap. torch
and MONAI are imported inside `build`.
"""
