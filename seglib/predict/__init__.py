"""Masks, overlays and a table of any number of images, written as files: `seg predict`."""
