"""Pools of unlabeled images: arrays, files, and data sets larger than memory."""

import os
import pathlib
import zipfile

import keras
import numpy as np
import tensorflow as tf

from dfal_keras import _files, _validation


def as_pool(source, *, name: str = "source", sample_shape: tuple | None = None):
    """Return anything that holds images as a pool: rows read when they are asked for.

    | source | what happens |
    |---|---|
    | array, memory map, or anything with `shape`, `dtype`, NumPy's indexing | used |
    | path of a `.npy` file | memory-mapped |
    | path of a `.npz` file with one array, or one named `x` | read |
    | `keras.utils.PyDataset` of images, or of (images, ...) | batches read as needed |
    | `tf.data.Dataset`, which has no rows to ask for | refused: see `write_pool` |

    Args:
        source: As above; batches of a `PyDataset` of one size, but for the last.
        name: The argument's name, for messages.
        sample_shape: The shape one image must have, `None` for any size of an axis.

    Returns:
        An object with `shape`, `dtype`, `len` and indexing of the first axis by slices
        and by arrays of rows.

    Raises:
        ValueError: If it holds no images, images of another shape, or none that are
            finite numbers.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.pools.as_pool(np.zeros((5, 28, 28, 1), "uint8")).shape
        (5, 28, 28, 1)
    """
    if isinstance(source, keras.utils.PyDataset):
        pool = BatchedPool(source)  # each batch is checked when it is read
        _validation.check_images(name, pool, sample_shape=sample_shape, finite=False)
        return pool
    if isinstance(source, tf.data.Dataset):
        raise ValueError(
            f"Argument `{name}` must let rows be read at random, which a "
            "tf.data.Dataset does not: write it to a file first, with "
            "`dfal_keras.pools.write_pool(dataset, path)`. Received: a tf.data.Dataset"
        )
    if isinstance(source, (str, pathlib.Path)):
        source = _read(pathlib.Path(source), name)
    _validation.check_images(name, source, sample_shape=sample_shape)
    return source


def write_pool(dataset: tf.data.Dataset, path: str | os.PathLike) -> np.ndarray:
    """Write a `tf.data.Dataset` of batches to a `.npy` file, and map that.

    One pass in constant memory. The file is there whole or not at all; next time,
    `as_pool(path)` is enough.

    Args:
        dataset: A finite `tf.data.Dataset` of batches of images, or of (images, ...),
            such as `keras.utils.image_dataset_from_directory` makes; not shuffled, if
            rows are to be found again in their source.
        path: Where to write, ending in `.npy`; must not exist.

    Returns:
        A read-only `np.memmap` of shape `(num_samples, ...)`.

    Raises:
        ValueError: If `path` exists, or the data set holds no images of one shape.

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
        raise ValueError(
            "Argument `path` must end in .npy and not exist; a pool that was written "
            f"before is used by `as_pool(path)`. Received: path={str(path)!r}"
        )
    if not isinstance(dataset, tf.data.Dataset):
        raise ValueError(
            "Argument `dataset` must be a tf.data.Dataset of batches of images. "
            f"Received: {dataset!r:.80} (of type {type(dataset).__name__})"
        )
    with _files.replacing(path) as file:
        _write_batches(dataset.as_numpy_iterator(), file)
    return as_pool(path)


class BatchedPool:
    """The images of a `keras.utils.PyDataset`, as if they were one array.

    A query at random places reads the batches that these lie in, each of them once.

    Args:
        dataset: Of images, or of (images, ...), in batches of one size, but for the
            last, and in the same order whenever it is asked.

    Raises:
        ValueError: If its length is not known, or its batches are no images.
    """

    def __init__(self, dataset: keras.utils.PyDataset):
        self._dataset = dataset
        num_batches = dataset.num_batches
        if not isinstance(num_batches, int) or num_batches < 1:
            raise ValueError(
                "Argument `dataset` must have a known number of batches, at least 1. "
                f"Received: num_batches={num_batches!r}"
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
        batches, places = np.divmod(np.asarray(rows), self._batch_size)
        images = np.empty((len(batches), *self.shape[1:]), self.dtype)
        for batch in np.unique(batches):
            images[batches == batch] = self._batch(batch)[places[batches == batch]]
        return images

    def _batch(self, index):
        images = np.asarray(_images_of(self._dataset[int(index)]))
        _validation.check_images(f"dataset[{index}]", images)
        return images


class Subset:
    """Some rows of a pool, as if they were an array of their own.

    Indexed like the first axis of an array, by a slice or an array of positions, it
    reads just those rows from the pool, which may be memory-mapped.

    Args:
        pool: What `as_pool` returns, of shape `(num_samples, ...)`.
        indices: Int array, the pool's rows that this view shows, in this order.

    Example:
        >>> pool = np.arange(10)[:, None]
        >>> Subset(pool, np.array([7, 3, 5]))[:2].ravel()
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


def check_same(pool, shape) -> None:
    """Say so if a pool has another shape than the one a learner was saved with."""
    if tuple(pool.shape) != tuple(shape):
        raise ValueError(
            "Argument `pool` must be the one that the learner was saved with, of shape "
            f"{tuple(map(int, shape))}. Received: a pool of shape {tuple(pool.shape)}"
        )


def _read(path, name):
    """Map a `.npy` file, or read the images of an `.npz` file; never a pickle."""
    try:
        if path.suffix == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False)
        with np.load(path, allow_pickle=False) as stored:
            key = stored.files[0] if len(stored.files) == 1 else "x"
            return stored[key]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Argument `{name}` must be a .npy file, or an .npz file with one array or "
            f"one named x, without pickled objects. Received: {path} ({error})"
        ) from error


def _write_batches(batches, file):
    """Write batches as one `.npy` file, whose header is known at the end."""
    num_samples, first = 0, None
    for batch in batches:
        images = np.ascontiguousarray(_images_of(batch))
        _validation.check_images("dataset", images)
        if first is None:
            first = images
            _write_header(file, first, 0)
            start = file.tell()
        if images.shape[1:] != first.shape[1:] or images.dtype != first.dtype:
            raise ValueError(
                "Argument `dataset` must have batches of images of one shape and "
                f"dtype, such as {first.shape[1:]} and {first.dtype}. Received: a "
                f"batch of shape {images.shape} and dtype {images.dtype}"
            )
        file.write(images.tobytes())
        num_samples += len(images)
    if first is None:
        raise ValueError("Argument `dataset` must hold images. Received: no batch")
    # NumPy leaves room in the header for the first axis to grow.
    file.seek(0)
    _write_header(file, first, num_samples)
    if file.tell() != start:
        raise OSError("the header of the .npy file changed its size")


def _write_header(file, images, num_samples):
    header = {
        "descr": np.lib.format.dtype_to_descr(images.dtype),
        "fortran_order": False,
        "shape": (num_samples, *images.shape[1:]),
    }
    np.lib.format.write_array_header_2_0(file, header)


def _images_of(batch):
    """The images of a batch, which may come with labels."""
    return batch[0] if isinstance(batch, (tuple, list)) else batch
