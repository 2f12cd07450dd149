"""Models and pools from files, safely, for the command line."""

import os
import pathlib
import zipfile

import keras
import tensorflow as tf

from dfal_keras import pools


def load_model(path: str | os.PathLike, *, allow_lambda: bool = False) -> keras.Model:
    """Load a `.keras` model, without running code that came with it.

    Args:
        path: A file that `model.save` wrote, ending in `.keras`.
        allow_lambda: Whether the file may hold Python code to run, as `Lambda` layers
            do. Only for files whose origin you trust.

    Raises:
        ValueError: If it is no such file, or needs code.
    """
    path = pathlib.Path(path)
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(
            "Argument `model` must be a file that ends in .keras. "
            f"Received: {str(path)!r}{'' if path.exists() else ', which is not there'}"
        )
    try:
        return keras.models.load_model(path, compile=False, safe_mode=not allow_lambda)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        reason = str(error).split("\n")[0]
        if "ambda" in str(error):
            reason = "it holds Python code (a Lambda layer), which runs when it is used"
        raise ValueError(
            "Argument `model` must be a .keras file of Keras's own layers. "
            f"Received: {str(path)!r}: {reason}"
        ) from error


def load_pool(
    path: str | os.PathLike, sample_shape: tuple | None, cache: str | os.PathLike
) -> tuple:
    """Load a pool of images from a file or a folder.

    Args:
        path: A `.npy` or `.npz` file; or a folder of images, read as
            `keras.utils.image_dataset_from_directory` reads it, in all its subfolders.
        sample_shape: Shape of a sample, for a folder `(height, width, channels)`;
            `None` for any size of an axis, or of an array's samples.
        cache: Folder for the images of a folder, as one `.npy` file.

    Returns:
        The pool, and the name of each image's file, empty for arrays.

    Raises:
        ValueError: If there are no images, or they can't be read in that shape.
    """
    path = pathlib.Path(path or "no name")  # or it would be the working folder
    if path.suffix in (".npy", ".npz"):
        return pools.as_pool(path, name="pool", sample_shape=sample_shape), []
    if not path.is_dir():
        raise ValueError(
            "Argument `pool` must be a folder of images, a .npy file or an .npz file. "
            f"Received: {str(path)!r}{'' if path.exists() else ', which is not there'}"
        )
    modes = {1: "grayscale", 3: "rgb", 4: "rgba"}
    shape = tuple(sample_shape or ())
    if len(shape) != 3 or shape[2] not in modes or None in shape or min(shape) < 1:
        raise ValueError(
            "Argument `pool` may be a folder only for a model of images of a known "
            "size, with 1, 3 or 4 channels; give --image-size, or an array. "
            f"Received: a model for samples of shape {shape}"
        )
    try:
        dataset = keras.utils.image_dataset_from_directory(
            path,
            labels=None,
            shuffle=False,
            batch_size=64,
            image_size=shape[:2],
            color_mode=modes[shape[2]],
            verbose=False,
        )
    except ValueError as error:
        raise ValueError(
            "Argument `pool` must be a folder with images: .jpg, .png, .bmp, .gif or "
            f".webp. Received: {str(path)!r} ({error})"
        ) from error
    names = [str(pathlib.Path(name).relative_to(path)) for name in dataset.file_paths]
    try:
        return pools.write_pool(dataset, pathlib.Path(cache) / "pool.npy"), names
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            "Argument `pool` must be a folder of images that can be decoded. "
            f"Received: {str(path)!r} ({error.message.splitlines()[0]})"
        ) from error
