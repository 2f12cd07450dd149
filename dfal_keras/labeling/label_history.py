"""labels.csv: the history of all answers; the latest of each image counts."""

import csv
import dataclasses
import hashlib
import io
import json
import os
import pathlib
from collections.abc import Iterable

from dfal_keras import _files
from dfal_keras.labeling.formats import spreadsheet_cells
from dfal_keras.labeling.formats.answer import CANT_TELL

RETRACTED = ""  # the label of an entry that removes the one before


@dataclasses.dataclass(frozen=True)
class Entry:
    """One answer.

    Attributes:
        time: When it was told, in ISO 8601, in UTC.
        who: Name of the annotator.
        file: Name of the image at that time, relative to its folder.
        sha256: Checksum of the image file, which identifies the image.
        label: Name of the class; `?` if the annotator can't tell; empty if the label
            before is removed.
    """

    time: str
    who: str
    file: str
    sha256: str
    label: str


class LabelHistory:
    """The history of all answers, in a CSV file that is only ever appended to.

    A single answer is one line at the end of the file, with all cells quoted. If the
    process is killed while it writes this line, a part of it is there, and is ignored.
    Several answers at a time replace the file as a whole.

    Args:
        path: The file, which need not exist.

    Raises:
        ValueError: If the file can't be read.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = pathlib.Path(path)
        self.entries: list[Entry] = []
        self._size: int | None = None  # of a file that ends in a whole line
        if self._path.exists():
            self.entries, is_whole = _read(self._path)
            self._size = self._current_size() if is_whole else None
        self._latest = {entry.sha256: entry.label for entry in self.entries}

    def append(self, entries: Iterable[Entry]) -> None:
        """Add answers. They are on disk when this returns, or none of them is."""
        new = list(entries)
        size, self._size = self._size, None  # until the file is whole again
        can_append = size is not None and size == self._current_size()
        if can_append and len(new) == 1 and _fits_a_line(new[0]):
            line = _to_text(new, csv.QUOTE_ALL)
            _files.append_text(self._path, line)
        else:
            text = _to_text([_HEADER, *self.entries, *new])
            _files.write_text(self._path, text)
        self._size = self._current_size()
        self.entries.extend(new)
        self._latest.update({entry.sha256: entry.label for entry in new})

    def latest(self) -> dict[str, str]:
        """Return the label that counts for each image, by its checksum."""
        return dict(self._latest)

    def label(self, sha256: str) -> str | None:
        """Return the label that counts for an image, `None` if it has no answer."""
        return self._latest.get(sha256)

    def checksum(self, num_entries: int) -> str:
        """Return a checksum of what the first entries say, but not of their times."""
        said = [(entry.sha256, entry.label) for entry in self.entries[:num_entries]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def _current_size(self):
        """Return the size of the file, `None` if it must not be written in place."""
        found = self._path.stat()
        return found.st_size if found.st_nlink == 1 else None  # else a copy changes


_COLUMNS = [field.name for field in dataclasses.fields(Entry)]
_HEADER = Entry(*_COLUMNS)


def is_unknown(label: str) -> bool:
    """Return whether a label says that the annotator can't tell."""
    return label == CANT_TELL


def _to_text(entries, quoting=csv.QUOTE_MINIMAL):
    """Return a line for each entry."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=quoting)
    for entry in entries:
        writer.writerow(map(spreadsheet_cells.escape, dataclasses.astuple(entry)))
    return text.getvalue()


def _fits_a_line(entry):
    """Return whether each part of an entry's line can be told from the whole line.

    No cell may have a line break. A quotation mark in the last cell is written twice,
    and a part that ends after the first one looks whole.
    """
    cells = dataclasses.astuple(entry)
    return '"' not in entry.label and not any(
        c in cell for c in "\r\n" for cell in cells
    )


def _read(path):
    """Return the entries of a file, and whether its last line is whole."""
    try:
        content, is_whole = _without_unfinished_line(path.read_bytes())
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        rows = list(csv.reader(text, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(_MESSAGE.format(path, error)) from error
    if not rows or rows[0] != _COLUMNS:
        raise ValueError(_MESSAGE.format(path, f"its header is {rows[:1]!r:.80}"))
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(_COLUMNS):
            raise ValueError(_MESSAGE.format(path, f"row {line} is {row!r:.80}"))
    entries = [Entry(*map(spreadsheet_cells.unescape, row)) for row in rows[1:]]
    return entries, is_whole


def _without_unfinished_line(content):
    """Return bytes without a line that `append` was killed in, and if they end a line.

    Such a line begins with a quotation mark, and lacks a cell or the mark at its end.
    Other programs need not end the last line.
    """
    start = content.rfind(b"\n") + 1
    line = content[start:]
    is_torn = line.startswith(b'"') and not _is_whole(line)
    return (content[:start] if is_torn else content), not line


def _is_whole(line):
    """Return whether a line of quoted cells is whole, but for its end."""
    try:
        text = line.decode().rstrip("\r")
        (cells,) = csv.reader([text], strict=True)
    except (ValueError, csv.Error):
        return False
    return len(cells) == len(_COLUMNS) and text.endswith('"')


_MESSAGE = (
    f"A session's labels.csv must have the columns {', '.join(_COLUMNS)}. Tell "
    "corrections with the command `tell` instead of editing it. Received: {} ({})"
)
