"""Which image series a DICOM mask was drawn on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seglib.errors import SegError, listing
from seglib.io.dicom import Series
from seglib.io.dicom_headers import Header


def find_series(mask: Header, known: Mapping[str, Series], modality: str) -> Series | None:
    """The series that a structure set or segmentation refers to; None where it is not among those known.

    By the series and the images that it names; and where these are not there, since anonymizers give
    images new names, by its frame of reference, of which the series in the nearest folder is taken.
    Raises SegError where several are as near.
    """
    named = [known[uid] for uid in sorted(set(_series(mask.tags)) & known.keys())]
    images = set(_values(mask.tags, "ReferencedSOPInstanceUID"))
    found = named or [series for series in known.values() if images & series.images]
    of_modality = [series for series in found if series.modality == modality]
    found = (of_modality or found[:1]) or _nearest(mask, list(known.values()))
    if len(found) > 1 and any(series.modality == modality for series in found):
        raise SegError(f"{mask.file}: may belong to {listing(found)}; put it into the folder of its series")
    return found[0] if found else None


def _nearest(mask: Header, known: Sequence[Series]) -> list[Series]:
    frames = {mask.text("FrameOfReferenceUID"), *_values(mask.tags, "FrameOfReferenceUID")} - {""}
    alike = [series for series in known if series.first.text("FrameOfReferenceUID") in frames]
    classes = {uid for uid in _values(mask.tags, "ReferencedSOPClassUID") if uid}
    alike = [series for series in alike if series.first.text("SOPClassUID") in classes] or alike
    common = [shared(mask.folder, series.first.folder) for series in alike]
    return [series for series, length in zip(alike, common, strict=True) if length == max(common)]


def shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many folders two paths have in common from the top."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _series(tags: Any) -> Iterator[str]:
    for item in tags.get("ReferencedSeriesSequence") or ():
        yield str(item.get("SeriesInstanceUID"))
    for frame in tags.get("ReferencedFrameOfReferenceSequence") or ():
        for study in frame.get("RTReferencedStudySequence") or ():
            for item in study.get("RTReferencedSeriesSequence") or ():
                yield str(item.get("SeriesInstanceUID"))


def _values(tags: Any, keyword: str) -> Iterator[str]:
    """Every value of a tag, at any depth."""
    for element in tags:
        if element.VR == "SQ":
            for item in element.value:
                yield from _values(item, keyword)
        elif element.keyword == keyword:
            yield str(element.value)
