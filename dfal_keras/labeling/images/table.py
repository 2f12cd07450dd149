"""`images.csv`: the content of each row of the pool, and the files that have it.

One line for each file, sorted by row. The columns are `row`, from 0; `file`, its name;
`sha256` of its content; `size` and `mtime_ns` when it was read; and `present`, which is
`no` if no file in the folder has the content any more.
"""

import csv
import dataclasses
import pathlib
import re
from collections.abc import Iterable

from dfal_keras import _files
from dfal_keras.labeling.formats import spreadsheet_cells

_COLUMNS = ["row", "file", "sha256", "size", "mtime_ns", "present"]
_SHA256 = re.compile("[0-9a-f]{64}")
_IS_PRESENT = {"yes": True, "no": False}


@dataclasses.dataclass
class ImageRow:
    """The content of one or several equal files, a row of the pool.

    Attributes:
        sha256: Checksum of the content, in hexadecimal.
        files: For each file with this content, its size and `mtime_ns`; the file whose
            name is shown comes first. At least one.
        is_present: Whether the files are in the folder. If not, `files` are those that
            were last there.
    """

    sha256: str
    files: dict[str, tuple[int, int]]
    is_present: bool = True

    @property
    def name(self) -> str:
        """The name that is shown."""
        return next(iter(self.files))


def write_table(path: pathlib.Path, rows: Iterable[ImageRow]) -> None:
    """Write the table. The write is atomic."""
    with _files.replacing(path, "t", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for i, row in enumerate(rows):
            present = "yes" if row.is_present else "no"
            for name, (size, mtime) in row.files.items():
                cell = spreadsheet_cells.escape(name)
                writer.writerow([i, cell, row.sha256, size, mtime, present])


def read_table(path: pathlib.Path) -> list[ImageRow]:
    """Read the table.

    Raises:
        ValueError: If the file is not as `write_table` writes it.
    """
    rows: list[ImageRow] = []
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, strict=True)
        try:
            if next(lines, None) != _COLUMNS:
                raise ValueError("another first line")
            for line in lines:
                _add(rows, line)
            if len({row.sha256 for row in rows}) < len(rows):
                raise ValueError("one checksum in two rows")
        except (ValueError, csv.Error) as error:
            raise ValueError(
                f"{path} must be as it was written, with the columns "
                f"{', '.join(_COLUMNS)}; restore a copy of it. "
                f"Received: line {lines.line_num}: {error}"
            ) from error
    return rows


def _add(rows, line):
    """Add a line of the file to the rows."""
    index, cell, sha256, size, mtime, present = line
    state = (int(size), int(mtime))
    row = ImageRow(sha256, {spreadsheet_cells.unescape(cell): state})
    if not _SHA256.fullmatch(sha256) or present not in _IS_PRESENT:
        raise ValueError(f"{sha256!r:.80}, {present!r:.80}")
    row.is_present = _IS_PRESENT[present]
    if int(index) == len(rows):
        rows.append(row)
    elif int(index) == len(rows) - 1 and sha256 == rows[-1].sha256:
        rows[-1].files |= row.files
    else:
        raise ValueError(f"row {index} after row {len(rows) - 1}")
