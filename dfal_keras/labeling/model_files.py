"""Models from and to `.keras` files."""

import contextlib
import json
import os
import pathlib
import shutil
import warnings
import zipfile
from collections.abc import Callable

import keras
import numpy as np

from dfal_keras import _files, _validation
from dfal_keras.backend import classifier, targets, weights
from dfal_keras.labeling.images import decoding


def load_model(
    path: str | os.PathLike, *, allow_lambda: bool = False, compile: bool = False
) -> keras.Model:
    """Load a `.keras` model without running Python code that the file contains.

    Args:
        path: A file that `model.save` wrote, ending in `.keras`.
        allow_lambda: Whether to load Python code, as in `Lambda` layers. Only for
            files whose origin you trust. Defaults to `False`.
        compile: Whether to compile the model as it was when it was saved. Defaults to
            `False`.

    Raises:
        ValueError: If the file is not a classifier, contains Python code, or weights
            that are not finite.
    """
    path = pathlib.Path(path)
    if reason := _not_a_keras_file(path):
        raise _validation.ArgumentError(
            "model",
            "must be a file that ends in .keras. Received: "
            f"model={str(path)!r}, {reason}",
        )
    try:
        model = _load(path, allow_lambda=allow_lambda, compile=compile)
    # Damaged files raise many types of exceptions, of Keras, TensorFlow and h5py.
    except Exception as error:
        raise _validation.ArgumentError(
            "model",
            "must be a .keras file of Keras's own layers. "
            f"Received: model={str(path)!r}: {_reason(path, error, compile)}",
        ) from error
    classifier.check_model(model)
    weights.check_finite(model)
    return model


def _load(path, *, allow_lambda, compile):
    with warnings.catch_warnings():
        # The state of an optimizer that has not trained is empty.
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
        return keras.models.load_model(
            path, compile=compile, safe_mode=not allow_lambda
        )


def _not_a_keras_file(path):
    """Return what a path is, if it can't be a `.keras` file, and how to convert it."""
    if not path.exists():
        return "which does not exist"
    if path.is_dir():
        return "a folder. Load it by the program that saved it, and call `model.save`"
    with path.open("rb") as file:
        start = file.read(len(_LFS))
    if start.startswith(_LFS):
        return "a Git LFS pointer in place of the model. Run `git lfs pull`"
    if start.startswith(_HDF5):
        return f"an HDF5 file. {_CONVERT}"
    return "" if path.suffix == ".keras" else "which does not"


def _reason(path, error, compile):
    """Return why a `.keras` file can't be loaded, and what to do."""
    if "ambda" in str(error):
        return "it contains Python code (a Lambda layer)"
    if not zipfile.is_zipfile(path):
        return "it is no archive"
    if (version := _saved_by(path)).startswith("2."):
        return f"it was saved by Keras {version}. {_CONVERT_WEIGHTS}"
    if compile:
        with contextlib.suppress(Exception):
            # Python code is not run, whatever the layers are.
            _load(path, allow_lambda=False, compile=False)
            return (
                "it is compiled with an object of one's own, such as a loss, that the "
                "file does not contain. Save it without: `keras.models.load_model("
                "path, compile=False).save(path)`"
            )
    return (str(error).strip() or type(error).__name__).split("\n")[0][:200]


def _saved_by(path):
    """Return the version of Keras that saved a file, "" if it is unknown."""
    with contextlib.suppress(Exception), zipfile.ZipFile(path) as archive:
        return str(json.loads(archive.read("metadata.json")).get("keras_version", ""))
    return ""


_LFS = b"version https://git-lfs"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_CONVERT_WEIGHTS = (
    "Build the same model in Keras 3, and load its weights: "
    "`model.save_weights('w.weights.h5')` there, `model.load_weights` here"
)
_CONVERT = (
    "Convert it by `keras.models.load_model(path).save('model.keras')`; if Keras 3 "
    f"can't load it: {_CONVERT_WEIGHTS[0].lower()}{_CONVERT_WEIGHTS[1:]}"
)


def check_trains(model: keras.Model, sample_shape: tuple) -> None:
    """Raise ValueError if a model is compiled with a loss that does not fit labels.

    Args:
        model: A model, compiled as it was when it was saved.
        sample_shape: Shape of an image.
    """
    if getattr(model, "optimizer", None) is None:
        return
    images = np.zeros((1, *sample_shape), "float32")
    labels = np.zeros(1, np.int64)
    num_outputs = targets.num_outputs(model, images)
    targets.check_loss(model, images, targets.as_targets(model, labels, num_outputs))


def sample_shape(model: keras.Model, image_size=None) -> tuple | None:
    """Return the shape of a model's samples, with the size that the user chose.

    Args:
        model: The model.
        image_size: `(height, width)`, for a model that accepts any size. Defaults to
            `None`, the model's.

    Raises:
        ValueError: If the model does not accept images of this size.
    """
    shape = classifier.sample_shape(model)
    if image_size is None:
        return shape
    if (
        shape is None
        or len(shape) != 3
        or any(
            fixed not in (None, size)
            for fixed, size in zip(shape, image_size, strict=False)
        )
    ):
        raise _validation.ArgumentError(
            "image_size",
            "must be a size of images that the model accepts. "
            f"Received: image_size={image_size}, a model for samples of shape {shape}",
        )
    return decoding.check_sample_shape("image_size", (*image_size, shape[2] or 3))


def num_classes(model: keras.Model) -> int:
    """Return the number of classes of a model; a single output means two.

    Raises:
        ValueError: If the model's outputs are not scores of classes.
    """
    outputs = getattr(model, "outputs", None)
    shape = tuple(outputs[0].shape) if outputs else ()
    if len(shape) != 2 or not shape[1]:
        raise _validation.ArgumentError(
            "model",
            "must be a Sequential or functional classifier with "
            "outputs of shape (batch_size, num_classes). "
            f"Received: the model {model.name!r} with outputs of shape {shape}",
        )
    return max(2, shape[1])


def check_num_classes(model: keras.Model, classes) -> None:
    """Raise ValueError if a model does not have an output for each class."""
    size = num_classes(model)
    if size != len(classes):
        raise _validation.ArgumentError(
            "classes",
            f"must hold {size} names, one for each class of the "
            f"model. Received: classes={list(classes)!r:.200}",
        )


def save_model(
    model: keras.Model,
    path: str | os.PathLike,
    before: Callable[[str], None] | None = None,
) -> None:
    """Write a model to a `.keras` file. The write is atomic.

    Args:
        model: The model.
        path: The file to write.
        before: Function that is called with the checksum of the new file before it
            replaces the old one. Defaults to `None`.
    """
    path = pathlib.Path(path)
    made = _files.temporary_path(path, ".keras")  # Keras writes to no other names
    try:
        model.save(made)
        if before is not None:
            before(_files.sha256(made))
        copy(made, path)
    finally:
        made.unlink(missing_ok=True)


def copy(source: str | os.PathLike, path: str | os.PathLike) -> None:
    """Copy a file. The write is atomic."""
    with open(source, "rb") as original, _files.replacing(path) as file:
        shutil.copyfileobj(original, file)
