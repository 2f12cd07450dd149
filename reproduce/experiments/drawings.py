"""Samples of Quick, Draw!: some drawings of some classes, in one `.npz` file.

The Quick, Draw! data is (c) Google, licensed under CC BY 4.0:
https://github.com/googlecreativelab/quickdraw-dataset
"""

import dataclasses
import functools
import os
import pathlib
import zipfile

import numpy as np

from dfal_keras.datasets import fingerprints, source

DOWNLOAD = "python reproduce/drawings.py"
_SIDE = 28  # pixels


@dataclasses.dataclass(frozen=True)
class Drawings:
    """The same number of drawings of each class, in the folder of the data sets.

    The file holds an array for each class, named after it, of shape `(num_images, 28,
    28)` or `(num_images, 784)`; or `x_train`, `y_train`, `x_test` and `y_test`, with
    images of 28x28x1 pixels and indices into `class_names`.

    Attributes:
        name: Name of the data set.
        file_name: Name of the file.
        class_names: The classes, in the order of their labels.
        num_train: Number of training images of each class, the first ones of its array.
        num_test: Number of test images of each class, those that follow.
    """

    name: str
    file_name: str
    class_names: tuple[str, ...]
    num_train: int
    num_test: int

    def __str__(self):
        return self.name

    @property
    def num_images(self) -> int:
        """Number of images of each class."""
        return self.num_train + self.num_test

    @property
    def path(self) -> pathlib.Path:
        """Path of the file. It need not exist."""
        return source.data_folder() / self.file_name

    def is_complete(self) -> bool:
        """Return whether the file is there."""
        return self.path.is_file()

    def status(self) -> str:
        """Return whether the file is there and how to get it, one line."""
        if self.is_complete():
            return f"complete: {self.path}"
        return f"missing: {DOWNLOAD} makes {self.path}"

    def how_to_get(self) -> str:
        """Return the command that makes the file."""
        return DOWNLOAD

    def load(self) -> tuple:
        """Return `(x_train, y_train), (x_test, y_test)`, sorted by class.

        Raises:
            ValueError: If the file can't be read, or has other arrays.
        """
        try:
            return _load(self, self.path, os.stat(self.path).st_mtime_ns)
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{self.path} must hold {self.num_images} drawings of each of "
                f"{', '.join(self.class_names)}. Received: {error}"
            ) from error

    def fingerprint(self) -> dict:
        """Return a dict that identifies the images, as of a `dfal_keras.datasets`."""
        self.load()  # raises if the file can't be used
        return _fingerprint(self, self.path, os.stat(self.path).st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _fingerprint(drawings, path, changed):
    """Return the fingerprint of a file, computed once for each version of it."""
    data = _load(drawings, path, changed)
    shapes = tuple(x.shape for x, _ in data)
    sha256 = fingerprints.checksum(data)
    return fingerprints.from_checksum(shapes, drawings.class_names, sha256)


@functools.lru_cache(maxsize=4)
def _load(drawings, path, _changed):
    """Read a file, once for each version of it."""
    with np.load(path, allow_pickle=False) as stored:
        if "x_train" in stored:
            return _by_split(drawings, stored)
        return _by_class(drawings, stored)


def _by_class(drawings, stored):
    parts = []
    for name in drawings.class_names:
        images = stored[name][: drawings.num_images]
        _check(name, images, drawings.num_images)
        parts.append(images.reshape(-1, _SIDE, _SIDE, 1))
    stacked = np.stack(parts)
    labels = np.arange(len(parts), dtype=np.uint8)
    splits = stacked[:, : drawings.num_train], stacked[:, drawings.num_train :]
    return tuple(
        (images.reshape(-1, _SIDE, _SIDE, 1), np.repeat(labels, images.shape[1]))
        for images in splits
    )


def _by_split(drawings, stored):
    counts = {"train": drawings.num_train, "test": drawings.num_test}
    data = []
    for split, count in counts.items():
        images, labels = stored[f"x_{split}"], stored[f"y_{split}"]
        _check(f"x_{split}", images, count * len(drawings.class_names))
        labels_expected = np.repeat(np.arange(len(drawings.class_names)), count)
        order = np.argsort(labels, kind="stable")
        if not np.array_equal(labels[order], labels_expected):
            raise ValueError(f"y_{split} with other numbers of each class")
        images = images.reshape(-1, _SIDE, _SIDE, 1)
        data.append((images[order], labels[order].astype(np.uint8)))
    return tuple(data)


def _check(name, images, count):
    if images.dtype != np.uint8 or images.size != count * _SIDE**2:
        raise ValueError(f"{name} of shape {images.shape} and type {images.dtype}")
