"""Rankings as CSV files: the images to label, best first."""

import csv
import dataclasses
import os
import pathlib

import numpy as np

from dfal_keras import _files
from dfal_keras.labeling.formats import spreadsheet_cells
from dfal_keras.labeling.images.store import ImageStore
from dfal_keras.strategies import Query

_COLUMNS = (
    *("rank", "index", "file", "sha256"),
    *("score", "predicted", "probability", "label"),
)


_IDENTITY = {"index", "file", "sha256"}


@dataclasses.dataclass(frozen=True)
class RankedImage:
    """What identifies an image in a ranking.

    Attributes:
        index: Row of an array, `None` for the images of a folder.
        file: Name in a folder, relative to it; `""` for arrays.
        sha256: Checksum of the file's content, in hexadecimal, or `""`.
    """

    index: int | None
    file: str
    sha256: str


def make_rows(
    query: Query, probabilities: np.ndarray, store: ImageStore | None
) -> list[dict]:
    """Return one row for each queried image.

    Args:
        query: The query, with indices into the pool.
        probabilities: Float array of shape `(num_queries, num_classes)`, the model's
            prediction for each queried image.
        store: The images of a folder, which are ranked by name and checksum; `None`
            for arrays, which are ranked by index.
    """
    predicted = probabilities.argmax(axis=1)
    return [
        {
            "rank": rank + 1,
            "index": index if store is None else "",
            "file": store.names[index] if store else "",
            "sha256": store.hashes[index] if store else "",
            "score": "" if query.scores is None else f"{query.scores[rank]:.6g}",
            "predicted": predicted[rank],
            "probability": f"{probabilities[rank].max():.4f}",
            "label": "",
        }
        for rank, index in enumerate(query.indices.tolist())
    ]


def write(path: str | os.PathLike, rows: list[dict]) -> None:
    """Write a ranking. The write is atomic.

    File names are written as `spreadsheet_cells.escape` gives them.
    """
    with _files.replacing(path, "t", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "file": spreadsheet_cells.escape(row["file"])})


def read(path: pathlib.Path) -> list[RankedImage]:
    """Return the images of a ranking, also of one that a spreadsheet program saved.

    Such a program may begin the file with a byte-order mark, and separate the columns
    by semicolons or tabs.

    Raises:
        ValueError: If the file is not a ranking.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter=max(",;\t", key=first.count))
            if not _IDENTITY & set(rows.fieldnames or ()):
                raise ValueError(f"none of the columns {', '.join(sorted(_IDENTITY))}")
            return [_ranked_image(row) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(
            "Argument `exclude` must name rankings that this command wrote. "
            f"Received: {str(path)!r} ({error})"
        ) from error


def _ranked_image(row):
    """Return the image of a row of the file."""
    index, file, sha256 = (row.get(name) or "" for name in ("index", "file", "sha256"))
    if not (index or file or sha256):
        raise ValueError("a row that names no image")
    return RankedImage(
        int(index) if index else None, spreadsheet_cells.unescape(file), sha256
    )
