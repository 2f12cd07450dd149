"""Rankings as CSV files: the images to label, best first."""

import csv
import os
import pathlib

import numpy as np

from dfal_keras import _files
from dfal_keras.strategies import Query

_COLUMNS = ("rank", "index", "file", "score", "predicted", "probability", "label")


def make_rows(query: Query, probabilities: np.ndarray, names: list) -> list[dict]:
    """Return one row for each queried image.

    Args:
        query: The query, with indices into the pool.
        probabilities: Float array of shape `(num_queries, num_classes)`, the model's
            prediction for each queried image.
        names: The file name of each image of the pool, empty for arrays.
    """
    predicted = probabilities.argmax(axis=1)
    return [
        {
            "rank": rank + 1,
            "index": index,
            "file": names[index] if names else "",
            "score": "" if query.scores is None else f"{query.scores[rank]:.6g}",
            "predicted": predicted[rank],
            "probability": f"{probabilities[rank].max():.4f}",
            "label": "",
        }
        for rank, index in enumerate(query.indices.tolist())
    ]


def write(path: str | os.PathLike, rows: list[dict]) -> None:
    """Write a ranking. The write is atomic."""
    with _files.replacing(path, "t", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def read_indices(path: pathlib.Path) -> list[int]:
    """Return the column `index` of a ranking.

    Raises:
        ValueError: If the file is not a ranking.
    """
    try:
        with path.open(newline="") as file:
            rows = csv.DictReader(file)
            if "index" not in (rows.fieldnames or ()):
                raise ValueError("no column `index`")
            return [int(row["index"]) for row in rows]
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            "Argument `exclude` must name rankings that this command wrote. "
            f"Received: {str(path)!r} ({error})"
        ) from error
