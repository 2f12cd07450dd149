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

    Args:
        path: The file, which need not exist.

    Raises:
        ValueError: If the file can't be read.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = pathlib.Path(path)
        self.entries: list[Entry] = []
        if self._path.exists():
            self.entries = _read(self._path)

    def append(self, entries: Iterable[Entry]) -> None:
        """Add answers. The write is atomic."""
        all_entries = [*self.entries, *entries]
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        for entry in all_entries:
            writer.writerow(map(spreadsheet_cells.escape, dataclasses.astuple(entry)))
        _files.write_text(self._path, text.getvalue())
        self.entries = all_entries

    def latest(self) -> dict[str, str]:
        """Return the label that counts for each image, by its checksum."""
        return {entry.sha256: entry.label for entry in self.entries}

    def checksum(self, num_entries: int) -> str:
        """Return a checksum of what the first entries say, but not of their times."""
        said = [(entry.sha256, entry.label) for entry in self.entries[:num_entries]]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


_COLUMNS = [field.name for field in dataclasses.fields(Entry)]


def is_unknown(label: str) -> bool:
    """Return whether a label says that the annotator can't tell."""
    return label == CANT_TELL


def _read(path):
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(_MESSAGE.format(path, error)) from error
    if not rows or rows[0] != _COLUMNS:
        raise ValueError(_MESSAGE.format(path, f"its header is {rows[:1]!r:.80}"))
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(_COLUMNS):
            raise ValueError(_MESSAGE.format(path, f"row {line} is {row!r:.80}"))
    return [Entry(*map(spreadsheet_cells.unescape, row)) for row in rows[1:]]


_MESSAGE = (
    f"A session's labels.csv must have the columns {', '.join(_COLUMNS)}. Tell "
    "corrections with the command `tell` instead of editing it. Received: {} ({})"
)
