"""Arrays in `.npy` and `.npz` files, checked before they take memory."""

import math
import pathlib
import zipfile
from typing import IO

import numpy as np

from dfal_keras import _validation

# Images are seldom compressed to less than a twentieth.
_MAX_RATIO = 100
_MIN_BOMB_SIZE = 2**26


def read(path: pathlib.Path, name: str) -> np.ndarray:
    """Memory-map a `.npy` file, or read an array of an `.npz` file into memory.

    An array of more than 64 MiB that is compressed to less than a hundredth of its size
    is not read, because a small file could then fill the memory. Save such an array as
    a `.npy` file, by `np.save`.

    Args:
        path: A `.npy` file; or an `.npz` file with one array, or one named `x`.
        name: Name of the argument in the error message.

    Raises:
        ValueError: If there is no such array, or the file is damaged.
    """
    try:
        if path.suffix == ".npy":
            with path.open("rb") as file:
                _check_header(file, path.stat().st_size)
            return np.load(path, mmap_mode="r", allow_pickle=False)
        return _read_npz(path)
    # NumPy and zipfile raise many types of exceptions for damaged files.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise _validation.ArgumentError(
            name,
            f"must be a .npy file, or an .npz file with one array or "
            f"one named x, without pickled objects. Received: {path} ({reason:.300})",
        ) from error


def _read_npz(path):
    """Return the only array, or the one named x."""
    with zipfile.ZipFile(path) as archive:
        arrays = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        if len(arrays) != 1:
            arrays = [member for member in arrays if member.filename == "x.npy"]
        if not arrays:
            raise ValueError("it has no such array")
        size, compressed_size = arrays[0].file_size, arrays[0].compress_size
        if size > max(_MIN_BOMB_SIZE, _MAX_RATIO * compressed_size):
            raise ValueError(
                f"{compressed_size:,} bytes become {size:,}; save the array as a .npy "
                "file if this is intended"
            )
        with archive.open(arrays[0]) as file:
            _check_header(file, size)
        with archive.open(arrays[0]) as file:
            return np.lib.format.read_array(file, allow_pickle=False)


def _check_header(file: IO[bytes], size: int) -> None:
    """Raise ValueError if a .npy file is too small for the shape in its header."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"version {version} of the format")
    num_bytes = math.prod(shape) * dtype.itemsize
    num_held = size - file.tell()
    if min(shape, default=0) < 0 or num_bytes > num_held:
        raise ValueError(
            f"its header says shape {shape} and dtype {dtype}, but it holds {num_held} "
            "bytes"
        )
