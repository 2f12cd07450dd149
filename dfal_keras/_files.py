"""Files that are written whole or not at all."""

import contextlib
import os
import pathlib
import uuid
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def replacing(path: str | os.PathLike, mode: str = "b", **options) -> Iterator[IO]:
    """Open a new file that takes the place of `path` when the block ends.

    A reader, a killed process or a power cut finds the old file or the new one: the
    content is on the disk before the name points to it. If the block raises, `path`
    stays as it was and nothing else is left in its folder.

    Args:
        path: The file to write. Its folder must exist.
        mode: `"b"` for bytes, `"t"` for text.
        **options: Passed to `open`, such as `newline`.

    Yields:
        The open file.
    """
    # Where `path` is a link, the file that it points to is replaced.
    path = pathlib.Path(os.path.realpath(path))
    # A name of its own, so that two processes can't write to one file. Part of the
    # name only: the system limits its length.
    temporary = path.with_name(f"{path.name[:80]}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open(f"x{mode}", **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with replacing(path, "t", encoding="utf-8", newline="") as file:
        file.write(text)


def _sync_folder(folder):
    """Write a folder's list of names to the disk, where the system can do that."""
    with contextlib.suppress(OSError, AttributeError):  # Windows can't
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
