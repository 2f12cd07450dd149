"""Models from and to `.keras` files."""

import os
import pathlib
import shutil
import warnings
from collections.abc import Callable

import keras

from dfal_keras import _files, _validation
from dfal_keras.backend import classifier
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
        ValueError: If the file is not a classifier, or contains Python code.
    """
    path = pathlib.Path(path)
    if path.suffix != ".keras" or not path.is_file():
        raise _validation.ArgumentError(
            "model",
            "must be a file that ends in .keras. Received: "
            f"model={str(path)!r}{'' if path.exists() else ', which does not exist'}",
        )
    try:
        with warnings.catch_warnings():
            # The state of an optimizer that has not trained is empty.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            model = keras.models.load_model(
                path, compile=compile, safe_mode=not allow_lambda
            )
    # Damaged files raise many types of exceptions, of Keras, TensorFlow and h5py.
    except Exception as error:
        reason = (str(error) or type(error).__name__).split("\n")[0][:200]
        if "ambda" in str(error):
            reason = "it contains Python code (a Lambda layer)"
        raise _validation.ArgumentError(
            "model",
            "must be a .keras file of Keras's own layers. "
            f"Received: model={str(path)!r}: {reason}",
        ) from error
    classifier.check_model(model)
    return model


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
    made = path.with_name(f"new_{path.name}")  # Keras writes to names in .keras only
    model.save(made)
    if before is not None:
        before(_files.sha256(made))
    copy(made, path)
    made.unlink()


def copy(source: str | os.PathLike, path: str | os.PathLike) -> None:
    """Copy a file. The write is atomic."""
    with open(source, "rb") as original, _files.replacing(path) as file:
        shutil.copyfileobj(original, file)
