"""CSV files that a session writes for itself: its trainings and its random sample."""

import csv
import io
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from dfal_keras import _files

_T = TypeVar("_T")


def read_table(
    path: pathlib.Path, parse: Callable[[dict[str, str]], _T], expected: str
) -> list[_T]:
    """Return the rows of a file, empty if it does not exist.

    Args:
        path: The file.
        parse: Function of a row, a dict by column. It may raise ValueError.
        expected: What the file must be, for the error.

    Raises:
        ValueError: If the file can't be read, or a row lacks a cell or is not valid.
    """
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [parse(_whole(row)) for row in csv.DictReader(file, strict=True)]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise ValueError(f"{expected}. Received: {path} ({error})") from error


def write_table(
    path: pathlib.Path, columns: Sequence[str], rows: Iterable[Sequence]
) -> None:
    """Write a file. The write is atomic."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    _files.write_text(path, text.getvalue())


def _whole(row):
    """Return a row, which must have a cell for each column and no other."""
    if None in row or None in row.values():
        raise ValueError("a row with more or fewer cells than columns")
    return row
