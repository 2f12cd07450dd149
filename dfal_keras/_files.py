"""Atomic writes of files, and checksums of files."""

import contextlib
import hashlib
import os
import pathlib
import re
import uuid
from collections.abc import Iterator
from typing import IO

_TEMPORARY = re.compile(r".*\.[0-9a-f]{32}\.tmp(\.[a-z]+)?", re.DOTALL)


@contextlib.contextmanager
def replacing(
    path: str | os.PathLike, mode: str = "b", *, keep_mode: bool = True, **options
) -> Iterator[IO]:
    """Open a temporary file that replaces `path` when the context ends.

    The write is atomic, also if the process is killed or the power fails: the content
    is synced to disk before the file is renamed. If the context raises, `path` is not
    changed and the temporary file is removed.

    Args:
        path: The file to write. Its folder must exist.
        mode: `"b"` for bytes, `"t"` for text. Defaults to `"b"`.
        keep_mode: Whether an existing file keeps its permissions. Defaults to `True`.
        **options: Passed to `open`, such as `newline`.

    Yields:
        The open temporary file.
    """
    # If `path` is a link, replace the file that it points to.
    path = pathlib.Path(os.path.realpath(path))
    temporary = temporary_path(path)
    try:
        with temporary.open(f"x{mode}", **options) as file:
            yield file
            file.flush()
            if keep_mode:
                with contextlib.suppress(OSError, AttributeError):  # no file, Windows
                    os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def temporary_path(path: str | os.PathLike, suffix: str = "") -> pathlib.Path:
    """Return the path of a new temporary file beside another.

    Args:
        path: The other file.
        suffix: What the name must end in, such as `".keras"`. Defaults to `""`.
    """
    path = pathlib.Path(path)
    # A unique name, so that two processes never write to the same file. Long names are
    # cut, as systems limit their length.
    return path.with_name(f"{path.name[:80]}.{uuid.uuid4().hex}.tmp{suffix}")


def remove_temporary(folder: str | os.PathLike) -> None:
    """Remove the temporary files of processes that were killed, and no others."""
    for path in pathlib.Path(folder).iterdir():
        if is_temporary(path) and path.is_file():
            path.unlink()


def is_temporary(path: pathlib.Path) -> bool:
    """Return whether a file has a name of `temporary_path`."""
    return bool(_TEMPORARY.fullmatch(path.name))


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file in UTF-8. The write is atomic."""
    with replacing(path, "t", encoding="utf-8", newline="") as file:
        file.write(text)


def append_text(path: str | os.PathLike, text: str) -> None:
    """Append to a text file in UTF-8, and sync it to disk.

    The write is not atomic: if the process is killed, the file may end in a part of
    `text`.

    Args:
        path: An existing file, not a link.
        text: What to append, not translated.
    """
    flags = os.O_WRONLY | os.O_APPEND
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags), "ab") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def sha256(path: str | os.PathLike) -> str:
    """Return the SHA-256 checksum of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _sync_folder(folder):
    """Sync the list of files in a folder to disk, where the system supports it."""
    with contextlib.suppress(OSError, AttributeError):  # not supported on Windows
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
