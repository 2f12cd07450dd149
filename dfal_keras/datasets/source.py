"""What a data set is made from: one file of images for each class."""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

VARIABLE = "DFAL_KERAS_DATA"
_CHUNK = 2000  # images in memory at a time: 25 MB of the largest kind


@dataclasses.dataclass(frozen=True)
class ClassFile:
    """The file that holds all images of one class, those of the test set last.

    Args:
        class_name: The class.
        name: The file's name.
        url: Where it, or a zip archive with nothing but it, can be downloaded.
        num_train: How many images, from the first on, are for training.
        num_test: How many come after these.
        size: The file's size in bytes, `None` if unknown.
        sha256: The file's checksum in hexadecimal digits, `None` if unknown.
    """

    class_name: str
    name: str
    url: str
    num_train: int
    num_test: int
    size: int | None = None
    sha256: str | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """The files of a data set. The position of a file is its class's label.

    Args:
        name: The data set's name, as `load_data` takes it.
        image_shape: `(height, width, channels)`.
        files: A `ClassFile` for each class.
        read: Context manager: from a path to an array, or anything with `shape`,
            `dtype` and slices, of uint8 images `(num_images, *image_shape)` that is
            read when it is sliced.
    """

    name: str
    image_shape: tuple
    files: tuple
    read: Callable

    @property
    def class_names(self) -> tuple:
        """The classes, in the order of their labels."""
        return tuple(file.class_name for file in self.files)

    def counts(self, part: str) -> list:
        """Return how many images each class has in `"train"` or `"test"`."""
        return [getattr(file, f"num_{part}") for file in self.files]


def data_folder(data_dir: str | os.PathLike | None = None) -> pathlib.Path:
    """Return the folder where the data sets are, or are to be.

    Args:
        data_dir: The folder. By default, what the environment variable
            `DFAL_KERAS_DATA` says, and otherwise `dfal_keras` in the folder where
            Keras puts its own data sets (`~/.keras/datasets`).

    Raises:
        ValueError: If `data_dir` is no path, or the user has no home folder.
    """
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    folder = data_dir or os.environ.get(VARIABLE) or f"{home}/datasets/dfal_keras"
    if not isinstance(folder, (str, os.PathLike)):
        raise ValueError(
            f"Argument `data_dir` must be a path. Received: data_dir={data_dir!r}"
        )
    try:
        return pathlib.Path(folder).expanduser().absolute()
    except RuntimeError as error:  # a user without account, in a container
        raise ValueError(
            "Argument `data_dir` or the environment variable "
            f"{VARIABLE} must name a folder where there is no home folder. "
            f"Received: data_dir={data_dir!r} ({error})"
        ) from error


def has_size(path: pathlib.Path, file: ClassFile) -> bool:
    """Whether the file is there, with the bytes it should have."""
    return path.is_file() and file.size in (None, path.stat().st_size)


def verify(path: pathlib.Path, file: ClassFile) -> None:
    """Check size and checksum, as far as they are known.

    Raises:
        ValueError: If the file is not the one described.
    """
    size = path.stat().st_size
    if file.size not in (None, size):
        raise ValueError(
            f"File is truncated, or another one: {path}. Expected {file.size} bytes. "
            f"Received: {size}. Delete it to have it downloaded again."
        )
    if file.sha256 is None:
        return
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != file.sha256:
        raise ValueError(
            f"File is corrupted, or another one: {path}. Expected sha256 "
            f"{file.sha256}. Received: {digest.hexdigest()}. Delete it to have it "
            "downloaded again."
        )


def chunks(
    source: Source, file: ClassFile, path: pathlib.Path, part: str
) -> Iterator[np.ndarray]:
    """Yield a class's images of `"train"` or `"test"`, some 2,000 at a time.

    Raises:
        ValueError: If the file can't be read, or holds something else.
    """
    total = file.num_train + file.num_test
    start, stop = (0, file.num_train) if part == "train" else (file.num_train, total)
    try:
        with source.read(path) as images:
            if images.shape != (total, *source.image_shape) or images.dtype != np.uint8:
                raise ValueError(f"shape {images.shape}, dtype {images.dtype}")
            for first in range(start, stop, _CHUNK):
                yield np.ascontiguousarray(images[first : min(first + _CHUNK, stop)])
    # What NumPy and h5py raise for files that are cut off, or of another format.
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        shape = "x".join(map(str, source.image_shape))
        raise ValueError(
            f"File is damaged, or another one: {path}. Expected {total:,} uint8 images "
            f"of {shape} ({file.class_name}). Received: {error}. Delete it to have it "
            "downloaded again."
        ) from error
