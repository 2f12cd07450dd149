"""check.csv: the random sample of a session that is never trained on."""

import pathlib
from collections.abc import Iterable

from dfal_keras.labeling import session_tables

_NAME, _COLUMNS = "check.csv", ["file", "sha256"]


def read_sample(folder: pathlib.Path) -> list[str]:
    """Return the checksums of the images in the sample, in the order of choice.

    Raises:
        ValueError: If check.csv is damaged.
    """
    return session_tables.read_table(
        folder / _NAME,
        lambda row: row["sha256"].lower(),
        "A session's check.csv must be as the command `check` wrote it",
    )


def write_sample(folder: pathlib.Path, images: Iterable[tuple[str, str]]) -> None:
    """Write the names and checksums of the sample. The write is atomic."""
    session_tables.write_table(folder / _NAME, _COLUMNS, images)
