"""Reading many image files: checksums and pixels, a few files at a time."""

import collections
import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import time
from collections.abc import Container, Iterable, Iterator

import numpy as np

from dfal_keras.labeling.images import decoding

_NUM_THREADS = min(4, os.cpu_count() or 1)
_MAX_FILE_SIZE = 2**29
_CLOCK_STEP = 2 * 10**9  # ns, the coarsest clock of a file system, FAT's


@dataclasses.dataclass(frozen=True)
class ReadImage:
    """What was read from a file.

    Attributes:
        reason: Why the file can't be read, or `""`. If there is a reason, the other
            attributes are empty.
        sha256: Checksum of the content, in hexadecimal.
        state: Size and `mtime_ns` of the file. The time is 0 if the file was changed so
            recently that another change may not alter them.
        pixels: uint8 array, or `None` for a known content.
    """

    reason: str = ""
    sha256: str = ""
    state: tuple[int, int] = (0, 0)
    pixels: np.ndarray | None = None


def read_image(
    path: pathlib.Path, sample_shape: tuple[int, int, int], known: Container[str] = ()
) -> ReadImage:
    """Read a file once, so that checksum and pixels belong to the same bytes.

    Args:
        path: The file, of at most 512 MiB.
        sample_shape: `(height, width, channels)` to which it is decoded.
        known: Checksums of contents that need not be decoded.
    """
    now = time.time_ns()
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read(_MAX_FILE_SIZE + 1)
            after = os.fstat(file.fileno())
        if len(content) > _MAX_FILE_SIZE:
            raise ValueError("larger than 512 MiB")
        sha256 = hashlib.sha256(content).hexdigest()
        pixels = None if sha256 in known else decoding.decode(content, sample_shape)
    except OSError as error:
        return ReadImage(reason=str(error.strerror or error))
    except ValueError as error:
        return ReadImage(reason=str(error))
    changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    is_settled = not changed and now - after.st_mtime_ns > _CLOCK_STEP
    state = (after.st_size, after.st_mtime_ns if is_settled else 0)
    return ReadImage(sha256=sha256, state=state, pixels=pixels)


def read_in_order(
    paths: Iterable[pathlib.Path],
    sample_shape: tuple[int, int, int],
    known: Container[str],
) -> Iterator[ReadImage]:
    """Read files in a few threads, and yield the results in the order of the files.

    Args:
        paths: The files.
        sample_shape: As of `read_image`.
        known: As of `read_image`. It may grow meanwhile, but not shrink.
    """
    with concurrent.futures.ThreadPoolExecutor(_NUM_THREADS) as executor:
        waiting: collections.deque = collections.deque()
        for path in paths:
            waiting.append(executor.submit(read_image, path, sample_shape, known))
            if len(waiting) > 2 * _NUM_THREADS:  # bounds the memory of the results
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
