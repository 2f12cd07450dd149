"""Pools of unlabeled images: arrays, files, and datasets larger than memory."""

import os
import pathlib
from typing import TYPE_CHECKING, TypeGuard

import keras
import numpy as np

from dfal_keras import _files, _validation
from dfal_keras.pools import array_files

if TYPE_CHECKING:
    import tensorflow as tf


def as_pool(source, *, name: str = "source", sample_shape: tuple | None = None):
    """Return a pool, whose rows are read on access.

    | source | access |
    |---|---|
    | array, memory map, or object with `shape`, `dtype`, NumPy's indexing | as is |
    | path of a `.npy` file | memory-mapped |
    | path of a `.npz` file with one array, or one named `x` | read into memory |
    | `keras.utils.PyDataset` of images, or of (images, ...) | one batch at a time |
    | `tf.data.Dataset` | ValueError, as it has no random access: see `write_pool` |

    Args:
        source: See above. The batches of a `PyDataset` must have one size, except for
            the last.
        name: Name of the argument in error messages. Defaults to `"source"`.
        sample_shape: Required shape of an image, with `None` for axes of any size.
            Defaults to `None`, any shape.

    Returns:
        An object with `shape`, `dtype`, `len` and indexing of the first axis by slices
        and by int arrays.

    Raises:
        ValueError: If `source` does not hold images of the required shape, or holds
            NaN or infinity.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.pools.as_pool(np.zeros((5, 28, 28, 1), "uint8")).shape
        (5, 28, 28, 1)
    """
    if isinstance(source, keras.utils.PyDataset):
        pool = BatchedPool(source)  # checks each batch when it is read
        _validation.check_images(name, pool, sample_shape=sample_shape, finite=False)
        return pool
    if _is_tf_dataset(source):
        raise _validation.ArgumentError(
            name,
            "must have random access to rows. Write a "
            "tf.data.Dataset to a file first, with "
            "`dfal_keras.pools.write_pool(dataset, path)`. Received: a tf.data.Dataset",
        )
    if isinstance(source, (str, pathlib.Path)):
        source = array_files.read(pathlib.Path(source), name)
    _validation.check_images(name, source, sample_shape=sample_shape)
    return source


def write_pool(dataset: "tf.data.Dataset", path: str | os.PathLike) -> np.ndarray:
    """Write a `tf.data.Dataset` of batches to a `.npy` file, and memory-map the file.

    Writes in one pass, in constant memory. The write is atomic. Read the file again
    with `as_pool(path)`.

    Args:
        dataset: A finite `tf.data.Dataset` of batches of images, or of (images, ...),
            such as `keras.utils.image_dataset_from_directory` returns. Do not shuffle
            it if you need to know which row of the pool comes from where.
        path: The file to write. It must end in `.npy` and not exist.

    Returns:
        A read-only `np.memmap` of shape `(num_samples, ...)`.

    Raises:
        ValueError: If `path` exists, or if the dataset does not hold images of one
            shape and dtype.

    Example:
        >>> import dfal_keras as dfal
        >>> import tensorflow as tf
        >>> images = np.zeros((5, 28, 28, 1), "uint8")
        >>> dataset = tf.data.Dataset.from_tensor_slices(images).batch(2)
        >>> dfal.pools.write_pool(dataset, "pool.npy").shape
        (5, 28, 28, 1)
    """
    path = pathlib.Path(str(path))
    if path.suffix != ".npy" or path.exists():
        raise _validation.ArgumentError(
            "path",
            "must end in .npy and not exist. Read an existing pool "
            f"with `as_pool(path)`. Received: path={str(path)!r}",
        )
    if not _is_tf_dataset(dataset):
        raise _validation.ArgumentError(
            "dataset",
            "must be a tf.data.Dataset of batches of images. "
            f"Received: {dataset!r:.80} (of type {type(dataset).__name__})",
        )
    with _files.replacing(path) as file:
        _write_batches(dataset.as_numpy_iterator(), file)
    return as_pool(path)


class BatchedPool:
    """View of a `keras.utils.PyDataset` as one array of images.

    Indexing reads each batch that it needs once.

    Args:
        dataset: A `PyDataset` of images, or of (images, ...). Its batches must have
            one size, except for the last, and one order.

    Raises:
        ValueError: If the number of batches is unknown, or batches are not images.

    Example:
        >>> import dfal_keras as dfal
        >>> class Images(keras.utils.PyDataset):
        ...     def __len__(self):
        ...         return 2  # batches
        ...
        ...     def __getitem__(self, index):
        ...         return np.full((3, 28, 28, 1), index, "uint8")
        >>> pool = dfal.pools.BatchedPool(Images())
        >>> pool.shape, pool[[1, 4]][:, 0, 0, 0]
        ((6, 28, 28, 1), array([0, 1], dtype=uint8))
    """

    def __init__(self, dataset: keras.utils.PyDataset):
        self._dataset = dataset
        num_batches = dataset.num_batches
        if not isinstance(num_batches, int) or num_batches < 1:
            raise _validation.ArgumentError(
                "dataset",
                "must have a known number of batches, at least 1. "
                f"Received: num_batches={num_batches!r}",
            )
        first, last = self._batch(0), self._batch(num_batches - 1)
        self._batch_size = len(first)
        num_samples = (num_batches - 1) * len(first) + len(last)
        self.shape = (num_samples, *first.shape[1:])
        self.dtype = first.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows) -> np.ndarray:
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        batches, positions = np.divmod(np.asarray(rows), self._batch_size)
        images = np.empty((len(batches), *self.shape[1:]), self.dtype)
        for batch in np.unique(batches):
            in_batch = batches == batch
            images[in_batch] = self._batch(batch)[positions[in_batch]]
        return images

    def _batch(self, index):
        images = np.asarray(_images_of(self._dataset[int(index)]))
        _validation.check_images(f"dataset[{index}]", images)
        return images


class Subset:
    """View of some rows of a pool as an array.

    Indexing of the first axis, by a slice or an int array, reads only the indexed rows
    from the pool.

    Args:
        pool: A pool as `as_pool` returns it, of shape `(num_samples, ...)`.
        indices: Int array, the rows of the pool, in the order of the view.

    Example:
        >>> import dfal_keras as dfal
        >>> pool = np.arange(10)[:, None]
        >>> dfal.pools.Subset(pool, np.array([7, 3, 5]))[:2].ravel()
        array([7, 3])
    """

    def __init__(self, pool, indices: np.ndarray):
        self._pool = pool
        self._indices = indices
        self.shape = (len(indices), *pool.shape[1:])
        self.dtype = pool.dtype

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, rows) -> np.ndarray:
        return self._pool[self._indices[rows]]


def _is_tf_dataset(source) -> "TypeGuard[tf.data.Dataset]":
    """Return whether `source` is a `tf.data.Dataset`, without importing TensorFlow."""
    return hasattr(source, "as_numpy_iterator")


def _write_batches(batches, file):
    """Write batches as one `.npy` file."""
    num_samples, first = 0, None
    for batch in batches:
        images = np.ascontiguousarray(_images_of(batch))
        _validation.check_images("dataset", images)
        if first is None:
            first = images
            _write_header(file, first, 0)
            start = file.tell()
        if images.shape[1:] != first.shape[1:] or images.dtype != first.dtype:
            raise _validation.ArgumentError(
                "dataset",
                "must have batches of images of one shape and "
                f"dtype, such as {first.shape[1:]} and {first.dtype}. Received: a "
                f"batch of shape {images.shape} and dtype {images.dtype}",
            )
        file.write(images.tobytes())
        num_samples += len(images)
    if first is None:
        raise _validation.ArgumentError(
            "dataset", "must hold images. Received: no batches"
        )
    # NumPy pads the header, so that the first axis may grow.
    file.seek(0)
    _write_header(file, first, num_samples)
    if file.tell() != start:
        raise OSError("The size of the .npy file's header has changed")


def _write_header(file, images, num_samples):
    header = {
        "descr": np.lib.format.dtype_to_descr(images.dtype),
        "fortran_order": False,
        "shape": (num_samples, *images.shape[1:]),
    }
    np.lib.format.write_array_header_2_0(file, header)


def _images_of(batch):
    """Return the images of a batch, which may include labels."""
    return batch[0] if isinstance(batch, (tuple, list)) else batch
