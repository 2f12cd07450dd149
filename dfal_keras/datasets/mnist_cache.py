"""MNIST as an uncompressed file that the processes of a machine share.

The file is stored in the subfolder `mnist` of the data folder, under a name that
contains the checksum of its content. It is used only if the user owns it, no other user
can write to it, and the checksum matches. Otherwise it is written again.
"""

import logging
import math
import os
import pathlib
import stat

import numpy as np

from dfal_keras import _files
from dfal_keras.datasets import fingerprints, mnist
from dfal_keras.datasets.source import data_folder

_SHAPES = tuple(shape for pair in mnist.SHAPES for shape in pair)
_STOPS = np.cumsum([math.prod(shape) for shape in _SHAPES])
# Don't follow a symbolic link, don't wait for the writer of a named pipe.
_OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def load_data(data_dir: str | os.PathLike | None = None) -> tuple:
    """Load MNIST as memory-mapped arrays, and write the file if needed.

    If the file can't be written, a warning is logged and the arrays are loaded into the
    memory of this process.

    Args:
        data_dir: See `dfal_keras.datasets.load_data`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: see `dfal_keras.datasets.load_data`.
    """
    try:
        path = cached_path(data_dir)
        _make_private_folder(path.parent)
        try:
            return _map_file(path)
        except (OSError, ValueError):  # missing or invalid
            _write_file(path)
            return _map_file(path)
    except (OSError, ValueError) as error:
        logging.getLogger(__name__).warning(
            "MNIST is loaded into memory and not shared between processes: %s", error
        )
        return mnist.read_files()


def cached_path(data_dir: str | os.PathLike | None = None) -> pathlib.Path:
    """Return the path of the file, which need not exist.

    Args:
        data_dir: See `dfal_keras.datasets.load_data`.
    """
    return data_folder(data_dir) / "mnist" / f"{mnist.SHA256}.bin"


def _make_private_folder(folder):
    """Create the folder if it does not exist, and remove access for other users.

    Raises:
        OSError: If the folder can't be created, is a link, or has another owner.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(f"{folder} is a link")
    if not _is_owned_by_user(status):
        raise PermissionError(f"{folder} belongs to another user")
    if _is_writable_by_others(status):
        folder.chmod(0o700)


def _map_file(path):
    """Memory-map the arrays.

    Owner, mode and checksum are those of the open file, so replacing the file after the
    check has no effect on the arrays.

    Raises:
        OSError: If the file is missing, a symbolic link, or can't be read.
        ValueError: If the file is invalid, or another user owns it or can write to it.
    """

    def opener(name, flags):
        return os.open(name, flags | _OPEN_FLAGS)

    with open(path, "rb", opener=opener) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size != _STOPS[-1]:
            raise ValueError(f"{path} is not a file of {_STOPS[-1]} bytes")
        if not _is_owned_by_user(status) or _is_writable_by_others(status):
            raise ValueError(f"{path} can be changed by another user")
        content = np.memmap(file, np.uint8, mode="r")
    parts = np.split(content, _STOPS[:-1])
    x_train, y_train, x_test, y_test = map(np.reshape, parts, _SHAPES)
    data = (x_train, y_train), (x_test, y_test)
    if fingerprints.checksum(data) != mnist.SHA256:
        raise ValueError(f"The checksum of {path} differs from its name")
    return data


def _write_file(path):
    """Write the arrays to one file, in the order of `load_data`."""
    data = mnist.read_files()
    if path.is_symlink():
        path.unlink()  # keeps the target of the link unchanged
    with _files.replacing(path, keep_mode=False) as file:
        os.chmod(file.name, 0o600)  # the umask may let a group write
        for pair in data:
            for array in pair:
                file.write(array)


def _is_owned_by_user(status):
    """Return whether this user owns a file. On Windows, every owner is 0."""
    return os.name == "nt" or status.st_uid == os.geteuid()


def _is_writable_by_others(status):
    """Return whether other users can write to a file. Windows has no such mode."""
    return os.name != "nt" and bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
