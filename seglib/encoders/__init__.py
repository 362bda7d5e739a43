"""Encoders whose weights carry the names of torchvision's published files."""
