"""Bring the published weights of the selected network's encoder to `models/encoder.pth`."""

import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock

from seglib.config import parse, read_params
from seglib.download import Keys, digest, fetch, file_name, partial_file, room_for
from seglib.errors import SegError
from seglib.paths import ENCODER
from seglib.sections.network import ADDRESS, NO_WEIGHTS, EncoderNetwork
from seglib.stage import put_outputs_back


def main() -> None:
    """Copy the weight file or fetch it, once its sha256 is the one that is asked for."""
    place, chosen = _chosen(read_params())
    if chosen is None:
        _clear()
        ENCODER.write_bytes(NO_WEIGHTS)
        return
    put_outputs_back()
    if ENCODER.is_file() and digest(ENCODER) == chosen.sha256:
        return
    if ADDRESS.match(chosen.weights):
        _fetch(place, chosen)
    else:
        _copy(place, chosen)
    print(f"{ENCODER} is {chosen.weights}")


def _chosen(params: dict[str, Any]) -> tuple[str, EncoderNetwork | None]:
    """Where the selected network's options stand, and those of them that are about weights, if it has any.

    The plug-in itself is not asked, so that a change of the architecture does not concern this stage.
    """
    name = params["model"]["name"]
    options = params["model"][name] or {}
    place = f"model.{name}"
    if not options.get("weights"):
        return place, None
    values = {key: value for key, value in options.items() if key in EncoderNetwork.model_fields}
    return place, parse(EncoderNetwork, values, place)


def _copy(place: str, chosen: EncoderNetwork) -> None:
    source = Path(chosen.weights)
    try:
        found = digest(source)
    except OSError as error:
        raise SegError(f"{place}.weights: {source} cannot be read ({error.strerror}); check the path") from None
    if found != chosen.sha256:
        raise SegError(
            f"{place}.weights: {source} has sha256 {found}, expected {chosen.sha256}; "
            f"check the file, or set {place}.sha256 to what it has"
        )
    with room_for(str(source), ENCODER):
        _clear()
        shutil.copyfile(source, ENCODER)


def _fetch(place: str, chosen: EncoderNetwork) -> None:
    url = chosen.weights
    partial = partial_file(url, file_name(url))
    with FileLock(partial.with_suffix(".lock")):
        fetch(url, chosen.sha256, partial, keys=Keys(f"{place}.weights", f"{place}.sha256", f"{place}.weights"))
        with room_for(url, ENCODER):
            _clear()
            shutil.move(partial, ENCODER)


def _clear() -> None:
    """Remove the last file, which may be a link into DVC's cache."""
    ENCODER.parent.mkdir(exist_ok=True)
    ENCODER.unlink(missing_ok=True)
