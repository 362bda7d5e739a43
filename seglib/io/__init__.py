"""Pixels in and out: images, NIfTI volumes, archives and the tensor cache."""
