"""Check the files of a data set before their images are read.

The size and the checksum of a file are part of its `ClassFile` if they are published.
If not, the checksum of the first download is recorded beside the file, in
`<name>.sha256` and the format of the command `sha256sum`, and the file must match it
from then on.
"""

import pathlib
import re

from dfal_keras import _files
from dfal_keras.datasets.source import ClassFile, InvalidFileError, Source, open_images


def check(source: Source, file: ClassFile, path: pathlib.Path) -> None:
    """Check the published size and checksum of a file, and its format.

    Args:
        source: `Source` of the data set.
        file: `ClassFile` that the file must match.
        path: Path of the file.

    Raises:
        InvalidFileError: If the file is not the expected one.
    """
    if not file.has_expected_size(path):
        size = path.stat().st_size
        raise InvalidFileError(
            path, f"Expected {file.size} bytes. Received: {size} bytes"
        )
    if file.sha256 is not None and (received := _files.sha256(path)) != file.sha256:
        raise InvalidFileError(
            path, f"Expected sha256 {file.sha256}. Received: {received}"
        )
    with open_images(source, file, path):
        pass


def verify(source: Source, file: ClassFile, path: pathlib.Path) -> None:
    """Check a file in its folder: as `check`, and against the recorded checksum.

    Args:
        source: `Source` of the data set.
        file: `ClassFile` that the file must match.
        path: Path of the file.

    Raises:
        ValueError: If the file is not the expected one, or not the one that was
            downloaded first.
    """
    record = record_path(path)
    if file.sha256 is None and record.is_file():
        recorded, received = _read_record(record), _files.sha256(path)
        if received != recorded:
            raise ValueError(
                f"File is not the one that was downloaded first: {path}. Expected "
                f"sha256 {recorded}, recorded in {record}. Received: {received}. "
                f"Delete {path.name} to download it again, or {record.name} to accept "
                "it."
            )
    check(source, file, path)


def record_path(path: pathlib.Path) -> pathlib.Path:
    """Return the path of the recorded checksum of a file."""
    return path.with_name(f"{path.name}.sha256")


def record_checksum(path: pathlib.Path, record: pathlib.Path) -> None:
    """Record the checksum of a downloaded file, unless an earlier one is recorded.

    Args:
        path: Path of the file.
        record: Path of the record.
    """
    if not record.exists():
        _files.write_text(record, f"{_files.sha256(path)}  {path.name}\n")


def _read_record(record):
    stored = record.read_text(encoding="utf-8", errors="replace")
    found = re.match(r"[0-9a-f]{64}\b", stored)
    if found is None:
        raise ValueError(
            f"File must begin with a SHA-256 checksum: {record}. Received: "
            f"{stored[:64]!r}. Delete it to accept the file that it belongs to."
        )
    return found[0]
