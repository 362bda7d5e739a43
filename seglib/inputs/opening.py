"""Everything that a user names, as inputs that are read only when called for."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from seglib.checkpoint import Card
from seglib.errors import SegError
from seglib.inputs.items import Input, Unread
from seglib.inputs.named import Named, Selection, holds_others, select
from seglib.inputs.names import Names, safe, split_suffix
from seglib.inputs.reading import read_picture, read_volume
from seglib.inputs.series import AllSeries, header_of, is_slice
from seglib.inputs.walking import Found, walk
from seglib.io import images, scans
from seglib.io.archive import ARCHIVES, open_source
from seglib.io.pairs import IMAGE_ENDINGS

READ = (*images.SUFFIXES, *scans.SUFFIXES)
LIKE_IMAGES = (*IMAGE_ENDINGS, ".nhdr", ".img", ".svs", ".ndpi", ".czi", ".lif", ".nd2", ".dng")
"""What is not passed over in silence, though it cannot be read."""
KNOWN = f"known: {', '.join(READ)} and DICOM"


def open_inputs(paths: Sequence[str], card: Card, without: Sequence[Path] = ()) -> Iterator[Input | Unread]:
    """Find what paths and patterns name: images, volumes and DICOM series, and folders and archives of them.

    In the order of the paths, inside folders in natural order; DICOM series come last, for their slices may lie
    anywhere. Of the files no more than names are kept. The folders `without`, such as those of the results, are
    passed over in folders and by patterns; files in them are read where they are named themselves. Raises SegError at
    once where a path does not exist or a pattern finds nothing.
    """
    return _Listing(card, select(paths, without), without).items()


class _Listing:
    def __init__(self, card: Card, selection: Selection, without: Sequence[Path]) -> None:
        self.card, self.selection, self.without = card, selection, without
        self.names, self.series = Names(), AllSeries()

    def items(self) -> Iterator[Input | Unread]:
        for named in self.selection.named:
            if holds_others(named.path):
                yield from self._inside(named)
            else:
                yield from self._file(Found(named.place, named.path), is_named=True)
        yield from self.series.items(self.card, self.names, self.selection.home)

    def _inside(self, named: Named) -> Iterator[Input | Unread]:
        """What a folder or an archive holds."""
        path, shown, slices = named.path, safe(named.place or named.path.name), self.series.slices
        try:
            root = open_source(path)
        except SegError as error:
            yield Unread(shown, str(error))
            return
        empty = True
        for found in walk(root, named.place if path.is_dir() else split_suffix(named.place)[0], self.without):
            for item in self._file(found, is_named=False) if isinstance(found, Found) else [found]:
                empty = False
                yield item
        if empty and self.series.slices == slices:
            yield Unread(shown, f"{path}: holds no image, volume or DICOM series; {KNOWN}")

    def _file(self, found: Found, *, is_named: bool) -> Iterator[Input | Unread]:
        """The file as input; nothing where it is passed over, or is a slice of a series."""
        try:
            yield from self._input(found, is_named=is_named)
        except SegError as error:
            yield Unread(safe(found.path), str(error))
        except OSError as error:
            yield Unread(safe(found.path), f"{found.file}: cannot be looked into ({error.strerror})")

    def _input(self, found: Found, *, is_named: bool) -> Iterator[Input]:
        path, file = found
        name = file.name.lower()
        if not file.is_file():
            if is_named or name.endswith((*LIKE_IMAGES, *ARCHIVES)):
                raise SegError(f"{file}: is no plain file, or a link that leads nowhere; name the file itself")
        elif name.endswith(READ):
            read = read_volume if scans.is_scan(file) else read_picture
            yield Input(self.names.give(*split_suffix(path)), partial(read, file, self.card))
        elif name.endswith(ARCHIVES):
            raise SegError(f"{file}: is an archive inside of what was named, which is not opened; name it itself")
        elif header := header_of(found):
            if is_slice(header):
                self.series.add(found, header)
            elif is_named:
                raise SegError(f"{file}: is a DICOM file without an image; name the slices of a series")
        elif is_named or name.endswith(LIKE_IMAGES):
            raise SegError(f"{file}: is of no format that is read; {KNOWN}")
