"""Class indices in the form that the loss of a model takes."""

import keras
import numpy as np
import tensorflow as tf

from dfal_keras import _validation
from dfal_keras.backend import compiled_loss


def num_outputs(model: keras.Model, x) -> int:
    """Return the number of outputs of a model for a sample.

    Args:
        model: A built Keras model.
        x: Images as the model takes them, of shape `(num_samples, ...)`.

    Raises:
        ValueError: If the outputs are not of shape `(num_samples, num_outputs)`.
    """
    shape = _outputs(model, x[:1]).shape
    if len(shape) != 2:
        raise _validation.ArgumentError(
            "model",
            "must return the scores of all classes for each sample, "
            f"of shape (num_samples, num_classes). Received: shape {tuple(shape)}",
        )
    return shape[-1]


def as_targets(model: keras.Model, y: np.ndarray, num_outputs: int) -> np.ndarray:
    """Return labels as the loss of a model takes them.

    Args:
        model: A compiled Keras model.
        y: Integer class indices, of shape `(num_samples,)`.
        num_outputs: Number of the model's outputs for a sample.

    Returns:
        One-hot float32 labels of shape `(num_samples, num_outputs)` for Keras's
        categorical losses. For other losses, int32 class indices.

    Raises:
        ValueError: If a categorical loss has a single output.
    """
    losses = [compiled_loss.resolved(loss) for loss in keras.tree.flatten(model.loss)]
    if not any(isinstance(loss, _CLASSES) or loss in _FUNCTIONS for loss in losses):
        return y.astype(np.int32)
    if num_outputs == 1:
        raise _validation.ArgumentError(
            "model",
            "must have an output for each class with a categorical "
            f"loss. Received: loss={model.loss!r} and a single output",
        )
    return np.eye(num_outputs, dtype=np.float32)[y]


def check_loss(model: keras.Model, x, targets: np.ndarray) -> None:
    """Raise ValueError if a model's loss or metrics don't accept labels.

    Also creates the variables of the metrics, which a graph can't do, and resets them.

    Args:
        model: A compiled Keras model.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        targets: What `as_targets` returns for their labels.
    """
    outputs = _outputs(model, x[:1])
    # With any other number of samples, labels might broadcast along the outputs.
    repeats = outputs.shape[-1] + 1
    images, labels, outputs = (
        tf.repeat(values, repeats, axis=0)
        for values in (_as_float(x[:1]), targets[:1], outputs)
    )
    try:
        loss = model.compute_loss(images, labels, outputs, training=False)
        model.compute_metrics(images, labels, outputs)
        reason = "" if loss is not None and len(loss.shape) == 0 else "no single number"
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        reason = _first_line(error)
    if reason:
        raise _validation.ArgumentError(
            "model",
            "must be compiled with a loss and metrics that accept its "
            "outputs and integer labels, or one-hot labels for Keras's categorical "
            f"losses. Received: loss={model.loss!r} ({reason})",
        )
    model.reset_metrics()


def failed(model: keras.Model, error: Exception) -> ValueError:
    """Return the error to raise when TensorFlow can't train or call a model."""
    return _validation.ArgumentError(
        "model",
        "must compute outputs of all samples and be able to train on "
        f"them. Received: the model {model.name!r} ({_first_line(error)})",
    )


def _first_line(error):
    return str(error).strip().partition("\n")[0]


def _outputs(model, images):
    try:
        outputs = model(_as_float(images), training=False)
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        raise failed(model, error) from error
    if not tf.is_tensor(outputs):
        raise _validation.ArgumentError(
            "model",
            "must return a tensor. "
            f"Received: a model that returns a {type(outputs).__name__}",
        )
    return outputs


def _as_float(images):
    return tf.constant(np.asarray(images, np.float32))


_CLASSES = (
    keras.losses.CategoricalCrossentropy,
    keras.losses.CategoricalFocalCrossentropy,
    keras.losses.CategoricalHinge,
)
_FUNCTIONS = (
    keras.losses.categorical_crossentropy,
    keras.losses.categorical_focal_crossentropy,
    keras.losses.categorical_hinge,
)
