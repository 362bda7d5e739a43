"""The zip archives in which torch keeps programs: their card, what may stand in them, and no local paths."""

import io
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from seglib.checkpoint import Card, first_line
from seglib.errors import SegError
from seglib.io.archive import DAMAGE

CARD = "card"
"""Name of the card among an archive's extra files."""
SOURCES = ".debug_pkl"
"""Where each operation stands in which source file."""
EMPTY = "data/sample_inputs/model.pt"
"""Example inputs, which torch unpickles; ours have none."""
TEXTS = tuple(f"{name}.json" for name in (
    "models/model", "data/weights/model_weights_config", "data/constants/model_constants_config"
))  # fmt: skip
"""The graph, and what tensors there are."""
MEMBERS = re.compile(
    "|".join(map(re.escape, (*TEXTS, EMPTY)))
    + rf"|data/weights/weight_\d+|data/constants/tensor_\d+|extra/{CARD}|archive_(format|version)|byteorder|\.data/\w+"
)
"""Of an exported program; neither compiled code nor pickled objects are among them."""
EXPRESSION = re.compile(r"(?:[A-Z]\w++\(|\w++=|'\w++'|(?:True|False)\b|\d++|[,) -])*+")
"""A size as nothing but constructors of SymPy, which evaluates it as Python; in time that grows with its length."""
TARGET = re.compile(
    r"torch\.ops\.aten\.(?!save\.|from_file\.)\w+\.\w+|"
    r"_operator\.(add|sub|mul|floordiv|truediv|mod|pow|neg|eq|ne|lt|le|gt|ge)"
)
"""Operations of tensors that touch no file, and arithmetic of sizes."""
TEXT = {"path_name": re.compile(r"(weight|tensor)_\d+"), "target": TARGET, "expr_str": EXPRESSION}
"""What may stand under a key, wherever it is."""
VALUE = {"use_pickle": False, "guards_code": []}
"""What must."""


def read_card(path: Path) -> Card:
    """The card in an archive, of which nothing else is opened.

    Raises SegError where the file is no archive, lacks a card, or has one of another format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(f"/extra/{CARD}")]
            text = archive.read(names[0]).decode() if names else None
    except DAMAGE as error:
        raise SegError(f"{path}: not a readable model file ({first_line(error)})") from None
    if text is None:
        raise SegError(f"{path}: has no card, so it was not written by this project; export the model with it")
    return Card.from_json(text, str(path))


def refuse_code(path: Path) -> None:
    """Raise SegError for an archive of an exported program that has more in it than the project writes.

    `torch.export.load` unpickles whatever an archive asks it to, loads compiled libraries, looks up operations by
    name, and evaluates expressions. This refuses every way to run code by them that is known, but torch makes no
    promise for such files: to be opened only where one trusts who made it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_members(path, (name.partition("/")[2] for name in archive.namelist()))
        reader = torch._C.PyTorchFileReader(str(path))  # noqa: SLF001  (as torch itself will read it)
        _refuse_members(path, reader.get_all_records())
        if len(reader.get_record(EMPTY)):
            raise SegError(_unsafe(path, "example inputs"))
        texts = [json.loads(reader.get_record(name)) for name in TEXTS]
    except DAMAGE as error:
        raise SegError(f"{path}: not a readable program ({first_line(error)})") from None
    for text in texts:
        _refuse_values(path, text)


def without_sources(archive: bytes) -> bytes:
    """The same program without the lines of code that it comes from, under a name that does not change."""
    reader, buffer = torch._C.PyTorchFileReader(io.BytesIO(archive)), io.BytesIO()  # noqa: SLF001
    writer = torch._C.PyTorchFileWriter(buffer)  # noqa: SLF001
    for name in reader.get_all_records():
        if name.endswith(SOURCES) or name.startswith(".data/") or name in ("version", "byteorder"):
            continue
        content = reader.get_record(name)
        writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    return buffer.getvalue()


def _refuse_members(path: Path, names: Iterable[str]) -> None:
    for name in names:
        if not MEMBERS.fullmatch(name):
            raise SegError(_unsafe(path, f"the member '{name}'"))


def _refuse_values(path: Path, value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _refuse_values(path, item)
    if isinstance(value, dict):
        for key, item in value.items():
            if (key in VALUE and item != VALUE[key]) or (key in TEXT and not TEXT[key].fullmatch(str(item))):
                raise SegError(_unsafe(path, f"{key} {str(item)[:60]!r}"))
            _refuse_values(path, item)


def _unsafe(path: Path, what: str) -> str:
    return f"{path}: has {what}, which this project never writes and which may run code; export the model with it"
