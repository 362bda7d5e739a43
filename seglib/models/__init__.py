"""Architectures, one file each; the file's name is the value of `model.name`.

A file defines `Params`, a subclass of `Network` or `EncoderNetwork` (the section `model.<name>`), and
`build(params, shape) -> nn.Module`. The network maps normalised images [batch, channels, *space], whose
sides are multiples of `params.divisor`, to logits [batch, planes, *space]. While training with more than
one output it gives a list of logits instead, all of the image's size, the finest first. The module of an
`EncoderNetwork` has an attribute `encoder` whose keys are those of the published weight files. torch and
MONAI are imported inside `build`.
"""
