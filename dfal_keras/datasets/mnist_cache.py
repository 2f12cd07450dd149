"""MNIST, unpacked once into a file that the processes of a machine share.

The file lies in a folder of its own in the data folder. It is used only if this user
owns it, nobody else can write to it, and its content has the right checksum; otherwise
it is written anew. Its name contains the checksum.
"""

import logging
import math
import os
import pathlib
import stat

import numpy as np

from dfal_keras import _files
from dfal_keras.datasets import fingerprints, mnist
from dfal_keras.datasets import source as sources

_SHAPES = tuple(shape for pair in mnist.SHAPES for shape in pair)
_STOPS = np.cumsum([math.prod(shape) for shape in _SHAPES])
# Never follow a link, never wait for the other end of a named pipe.
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def load_data(data_dir: str | os.PathLike | None = None) -> tuple:
    """Load MNIST as memory-mapped arrays.

    Where the file can't be written, the arrays are in the memory of this process, and
    a warning is logged.

    Args:
        data_dir: See `dfal_keras.datasets.load_data`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, as `dfal_keras.datasets.load_data` does.
    """
    try:
        path = cached_path(data_dir)
        _secure(path.parent)
        try:
            return _map(path)
        except (OSError, ValueError):  # missing or broken
            _write(path)
            return _map(path)
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).warning(
            "MNIST is in the memory of this process, not shared with others: %s", error
        )
        return mnist.load_data()


def cached_path(data_dir: str | os.PathLike | None = None) -> pathlib.Path:
    """Return where the file is, or is to be."""
    return sources.data_folder(data_dir) / "mnist" / f"{mnist.SHA256}.bin"


def _secure(folder):
    """Make the folder if need be, and let nobody else write to it.

    Raises:
        OSError: If that is impossible.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(f"{folder} is a link")
    if not _is_own(status):
        raise PermissionError(f"{folder} belongs to another user")
    if _is_open_to_others(status):
        folder.chmod(0o700)


def _map(path):
    """Map the arrays in the file.

    Owner, mode and checksum are those of the open file: whatever its name points to
    later, nobody else can change what was mapped.

    Raises:
        OSError: If the file is missing, a link, or can't be read.
        ValueError: If it is not as this user wrote it.
    """
    with open(path, "rb", opener=lambda name, to: os.open(name, to | _FLAGS)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size != _STOPS[-1]:
            raise ValueError(f"{path} is no file of {_STOPS[-1]} bytes")
        if not _is_own(status) or _is_open_to_others(status):
            raise ValueError(f"{path} can be changed by another user")
        content = np.memmap(file, np.uint8, mode="r")
    parts = np.split(content, _STOPS[:-1])
    x_train, y_train, x_test, y_test = map(np.reshape, parts, _SHAPES)
    data = (x_train, y_train), (x_test, y_test)
    if fingerprints.checksum(data) != mnist.SHA256:
        raise ValueError(f"{path} has another content than its name says")
    return data


def _write(path):
    """Write the arrays, one after the other."""
    data = mnist.load_data()
    if path.is_symlink():
        path.unlink()  # else the file that it points to would be replaced
    with _files.replacing(path) as file:
        os.chmod(file.name, 0o600)  # also where the umask lets a group write
        for pair in data:
            for array in pair:
                file.write(array)


def _is_own(status):
    """Whether a file is this user's. Windows gives every file the owner 0."""
    return os.name == "nt" or status.st_uid == os.geteuid()


def _is_open_to_others(status):
    """Whether others can write. Windows has no such mode."""
    return os.name != "nt" and bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
