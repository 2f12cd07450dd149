"""Pools from folders of images, `.npy` and `.npz` files."""

import os
import pathlib

import keras
import tensorflow as tf

from dfal_keras import pools

_COLOR_MODES = {1: "grayscale", 3: "rgb", 4: "rgba"}  # by number of channels


def load_pool(
    path: str | os.PathLike, sample_shape: tuple | None, cache: str | os.PathLike
) -> tuple:
    """Load a pool of images from a file or a folder.

    Args:
        path: A `.npy` or `.npz` file; or a folder of images, which is read with its
            subfolders by `keras.utils.image_dataset_from_directory`.
        sample_shape: Shape of a sample, `(height, width, channels)` for a folder;
            `None` for any size of an axis, or of an array's samples.
        cache: Folder in which a folder's images are written as one `.npy` file.

    Returns:
        `(pool, names)`: the images, and the file name of each, empty for arrays.

    Raises:
        ValueError: If there are no images, or they do not fit `sample_shape`.
    """
    path = pathlib.Path(path or "no name")  # "" would be the working folder
    if path.suffix in (".npy", ".npz"):
        return pools.as_pool(path, name="pool", sample_shape=sample_shape), []
    if not path.is_dir():
        raise ValueError(
            "Argument `pool` must be a folder of images, a .npy file or an .npz file. "
            f"Received: pool={str(path)!r}"
            f"{'' if path.exists() else ', which does not exist'}"
        )
    dataset = _read_folder(path, sample_shape)
    names = [str(pathlib.Path(name).relative_to(path)) for name in dataset.file_paths]
    try:
        return pools.write_pool(dataset, pathlib.Path(cache) / "pool.npy"), names
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            "Argument `pool` must be a folder of images that can be decoded. "
            f"Received: pool={str(path)!r} ({error.message.splitlines()[0]})"
        ) from error


def _read_folder(path, sample_shape):
    """Return a data set of a folder's images, resized to `sample_shape`."""
    shape = tuple(sample_shape or ())
    is_known = len(shape) == 3 and None not in shape and min(shape) >= 1
    if not is_known or shape[2] not in _COLOR_MODES:
        raise ValueError(
            "Argument `pool` may be a folder only for a model of images of a known "
            "size, with 1, 3 or 4 channels; set --image-size, or use an array. "
            f"Received: a model for samples of shape {shape}"
        )
    try:
        return keras.utils.image_dataset_from_directory(
            path,
            labels=None,
            shuffle=False,
            batch_size=64,
            image_size=shape[:2],
            color_mode=_COLOR_MODES[shape[2]],
            verbose=False,
        )
    except ValueError as error:
        raise ValueError(
            "Argument `pool` must be a folder with images: .jpg, .png, .bmp, .gif or "
            f".webp. Received: pool={str(path)!r} ({error})"
        ) from error
