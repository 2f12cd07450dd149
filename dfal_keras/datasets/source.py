"""Describe the files of a data set, one for each class, and read them in batches."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from dfal_keras import _validation

DATA_DIR_VARIABLE = "DFAL_KERAS_DATA"
SPLITS = ("train", "test")
_BATCH_SIZE = 2000  # 25 MB of the largest images


@dataclasses.dataclass(frozen=True)
class ClassFile:
    """The file with all images of one class. The last ones are the test images.

    Args:
        class_name: Name of the class.
        name: Name of the file.
        urls: Addresses of the file, or of a zip archive that holds it. The first that
            answers is used.
        num_train: Number of training images, the first in the file.
        num_test: Number of test images, the rest of the file.
        size: Size of the file in bytes. Defaults to `None`, unknown.
        sha256: SHA-256 checksum of the file as a hexadecimal string. Defaults to
            `None`, unknown.
    """

    class_name: str
    name: str
    urls: tuple[str, ...]
    num_train: int
    num_test: int
    size: int | None = None
    sha256: str | None = None

    def has_expected_size(self, path: pathlib.Path) -> bool:
        """Return whether an existing file has the expected size, if it is known."""
        return self.size in (None, path.stat().st_size)


@dataclasses.dataclass(frozen=True)
class Source:
    """The files of a data set. A class's label is the position of its file.

    Args:
        name: Name of the data set, as in `dfal_keras.datasets.load_data`.
        image_shape: Shape `(height, width, channels)` of an image.
        files: Tuple of `ClassFile`, one for each class.
        read: Function that takes a path and returns a context manager, which yields
            uint8 images of shape `(num_images, *image_shape)`: an array, or an object
            with `shape`, `dtype` and slicing that is read when it is sliced.
    """

    name: str
    image_shape: tuple[int, int, int]
    files: tuple[ClassFile, ...]
    read: Callable[[pathlib.Path], contextlib.AbstractContextManager[Any]]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their labels."""
        return tuple(file.class_name for file in self.files)

    def num_images(self, split: str) -> list[int]:
        """Return the number of images of each class in `"train"` or `"test"`."""
        return [getattr(file, f"num_{split}") for file in self.files]

    def shape(self, split: str) -> tuple[int, ...]:
        """Return the shape of all images in `"train"` or `"test"`."""
        return (sum(self.num_images(split)), *self.image_shape)


def data_folder(data_dir: str | os.PathLike | None = None) -> pathlib.Path:
    """Return the folder of the data sets. It need not exist.

    Args:
        data_dir: The folder. Defaults to `None`: the value of the environment variable
            `DFAL_KERAS_DATA` if it is set, and otherwise `dfal_keras` in the folder
            where Keras stores data sets, `~/.keras/datasets`.

    Returns:
        The absolute path of the folder.

    Raises:
        ValueError: If `data_dir` is not a path, or the user has no home folder.
    """
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    folder = (
        data_dir or os.environ.get(DATA_DIR_VARIABLE) or f"{home}/datasets/dfal_keras"
    )
    if not isinstance(folder, (str, os.PathLike)):
        raise _validation.ArgumentError(
            "data_dir", f"must be a path. Received: data_dir={data_dir!r}"
        )
    try:
        return pathlib.Path(folder).expanduser().absolute()
    except RuntimeError as error:  # a user without an account, as in a container
        raise _validation.ArgumentError(
            "data_dir",
            f"or the environment variable {DATA_DIR_VARIABLE} must be set if the user "
            "has no home folder. "
            f"Received: data_dir={data_dir!r} ({error})",
        ) from error


class InvalidFileError(ValueError):
    """A file of a data set is damaged, or not the expected one.

    Args:
        path: Path of the file.
        problem: What was expected and received.
    """

    def __init__(self, path: pathlib.Path, problem: str):
        super().__init__(
            f"File is damaged or not the expected one: {path}. {problem}. Delete it to "
            "download it again."
        )
        self.problem = problem


@contextlib.contextmanager
def open_images(
    source: Source, file: ClassFile, path: pathlib.Path
) -> Iterator[np.ndarray]:
    """Open the images of one class, and check their number, shape and dtype.

    Args:
        source: `Source` of the data set.
        file: `ClassFile` of the class.
        path: Path of the file.

    Yields:
        What `source.read` yields. No image has been read.

    Raises:
        InvalidFileError: If the file can't be read, or its contents differ from `file`.
    """
    total = file.num_train + file.num_test
    try:
        with source.read(path) as images:
            if images.shape != (total, *source.image_shape) or images.dtype != np.uint8:
                raise ValueError(f"shape {images.shape}, dtype {images.dtype}")
            yield images
    # NumPy and h5py raise these for truncated files and files of another format.
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        shape = "x".join(map(str, source.image_shape))
        raise InvalidFileError(
            path,
            f"Expected {total:,} uint8 images of {shape} ({file.class_name}). "
            f"Received: {error}",
        ) from error


def image_batches(
    source: Source, file: ClassFile, path: pathlib.Path, split: str
) -> Iterator[np.ndarray]:
    """Yield the images of one class, up to 2,000 at a time.

    Args:
        source: `Source` of the data set.
        file: `ClassFile` of the class.
        path: Path of the file.
        split: `"train"` or `"test"`.

    Yields:
        uint8 array of shape `(batch_size, height, width, channels)`.

    Raises:
        InvalidFileError: If the file can't be read, or its contents differ from `file`.
    """
    total = file.num_train + file.num_test
    start, stop = (0, file.num_train) if split == "train" else (file.num_train, total)
    with open_images(source, file, path) as images:
        for first in range(start, stop, _BATCH_SIZE):
            last = min(first + _BATCH_SIZE, stop)
            yield np.ascontiguousarray(images[first:last])
