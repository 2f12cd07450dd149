"""check.csv: the random sample of a session that is never trained on."""

import csv
import io
import pathlib
from collections.abc import Iterable

from dfal_keras import _files

_COLUMNS = ["file", "sha256"]


def read_sample(folder: pathlib.Path) -> list[str]:
    """Return the checksums of the images in the sample, in the order of choice.

    Raises:
        ValueError: If check.csv is damaged.
    """
    path = folder / "check.csv"
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        return [row["sha256"].lower() for row in rows]
    except (OSError, ValueError, KeyError, AttributeError, csv.Error) as error:
        raise ValueError(
            "A session's check.csv must be as the command `check` wrote it. "
            f"Received: {path} ({error})"
        ) from error


def write_sample(folder: pathlib.Path, images: Iterable[tuple[str, str]]) -> None:
    """Write the names and checksums of the sample. The write is atomic."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows(images)
    _files.write_text(folder / "check.csv", text.getvalue())
