"""A `.npy` file of uint8 images, to which images are appended."""

import contextlib
import math
import os
import pathlib
import re
from collections.abc import Iterator
from typing import IO

import filelock
import numpy as np

from dfal_keras import _validation

# The header of a .npy file of version 1.0, with room for numbers of 12 digits.
_HEADER_SIZE = 128
_MAGIC = np.lib.format.magic(1, 0) + (_HEADER_SIZE - 10).to_bytes(2, "little")
_HEADER = "{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
# NumPy's reader raises other errors than ValueError for some damaged headers.
_WRITTEN = re.compile(
    re.escape(_MAGIC)
    + rb"\{'descr': '\|u1', 'fortran_order': False, "
    + rb"'shape': \((\d+), (\d+), (\d+), (\d+)\), \} *\n"
)


class PixelFile:
    """A `.npy` file of uint8 images, to which images are appended.

    The caller stores how many rows are valid. Later rows, of an interrupted process,
    are overwritten. Valid rows never change, so memory maps of them stay valid.

    Args:
        path: The file, ending in `.npy`.
        sample_shape: Shape of an image, `(height, width, channels)`.
    """

    def __init__(self, path: pathlib.Path, sample_shape: tuple[int, int, int]):
        self._path = path
        self._sample_shape = sample_shape
        self._row_size = math.prod(sample_shape)
        self._file: IO[bytes] | None = None
        self._num_rows = 0

    def num_complete_rows(self) -> int:
        """Return how many rows the file holds, 0 if it is missing or damaged.

        Raises:
            ValueError: If it holds images of another shape.
        """
        if not self._path.exists():
            return 0
        with self._path.open("rb") as file:
            header = _WRITTEN.fullmatch(file.read(_HEADER_SIZE))
        if not header:
            return 0
        shape = tuple(map(int, header.groups()))[1:]
        if shape != self._sample_shape:
            raise _validation.ArgumentError(
                "sample_shape",
                f"must be {shape}, the shape of the images "
                f"in {self._path}. Received: sample_shape={self._sample_shape}",
            )
        return (self._path.stat().st_size - _HEADER_SIZE) // self._row_size

    def rows(self, num_rows: int) -> np.ndarray:
        """Return the first rows, memory-mapped and read-only.

        Raises:
            ValueError: If the file holds fewer rows.
        """
        shape = (num_rows, *self._sample_shape)
        if not num_rows:
            return np.zeros(shape, np.uint8)
        num_complete = self.num_complete_rows()
        if num_complete < num_rows:
            raise ValueError(
                f"{self._path} must hold {num_rows} images, as images.csv says. "
                f"Received: a file that is damaged after {num_complete} images"
            )
        return np.memmap(self._path, np.uint8, "r", offset=_HEADER_SIZE, shape=shape)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Open the file for `seek`, `append` and `commit`; create it if needed.

        Raises:
            ValueError: If another process has locked it, or it is a link.
        """
        flags = os.O_RDWR | os.O_CREAT
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        lock = filelock.FileLock(self._path.with_name(f".{self._path.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise ValueError(
                f"{self._path.parent} must not be in use by another process, "
                f"which adds images now. Received: a lock of {self._path}"
            ) from error
        with lock, open(os.open(self._path, flags, 0o666), "r+b") as file:
            lock.release()  # `with` has acquired it once more
            if os.fstat(file.fileno()).st_nlink > 1:
                raise ValueError(
                    f"{self._path} must be a file of its own, as it is written. "
                    "Received: a hard link of another file; copy it"
                )
            self._file = file
            try:
                yield
            finally:
                self._file = None

    def seek(self, num_rows: int) -> None:
        """Remove all but the first rows, and append after them."""
        self._num_rows = num_rows
        self._opened.truncate(_HEADER_SIZE + num_rows * self._row_size)
        self._write_header()

    def append(self, image: np.ndarray) -> None:
        """Write an image after the last one. It is valid after `commit`."""
        self._opened.write(np.ascontiguousarray(image, np.uint8).data)
        self._num_rows += 1

    def commit(self) -> int:
        """Sync the file to disk, and return its number of rows."""
        self._sync()
        self._write_header()  # after the rows that it counts
        self._sync()
        return self._num_rows

    @property
    def _opened(self):
        if self._file is None:
            raise RuntimeError("The file is not locked.")
        return self._file

    def _sync(self):
        self._opened.flush()
        os.fsync(self._opened.fileno())

    def _write_header(self):
        """Write a header of the same size for any number of rows."""
        shape = (self._num_rows, *self._sample_shape)
        header = _MAGIC + _HEADER.format(shape=shape).encode()
        self._opened.seek(0)
        self._opened.write(header.ljust(_HEADER_SIZE - 1) + b"\n")
        self._opened.seek(0, os.SEEK_END)
