"""From what a user names to pixels as a model was trained on: images, folders, archives, volumes, DICOM series."""

from seglib.inputs.items import Input, Pixels, Unread
from seglib.inputs.named import passed_over
from seglib.inputs.opening import open_inputs
from seglib.inputs.reading import read_bytes
from seglib.io.placement import Placement, write_volume

__all__ = ["Input", "Pixels", "Placement", "Unread", "open_inputs", "passed_over", "read_bytes", "write_volume"]
