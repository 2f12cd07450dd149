"""Predictions on pools of any size, one float32 batch at a time."""

from collections.abc import Iterator

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import classifier, tracing

_BATCH_SIZE = 1024


def predict_logits(
    model, x, *, batch_size: int = _BATCH_SIZE, finite: bool = True
) -> np.ndarray:
    """Return logits.

    Args:
        model: A classifier that passes `classifier.check_model`.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        batch_size: Number of images in a batch. Defaults to 1024.
        finite: Whether to raise an error for NaN and infinity. Defaults to `True`.

    Returns:
        Float32 array of shape `(num_samples, num_classes)`.

    Raises:
        ValueError: If the model's outputs have another shape, or are not finite.
    """
    logits = _predict(classifier.logits, model, x, batch_size)
    if logits.ndim != 2:
        raise ValueError(
            "Argument `model` must return the scores of all classes for each sample, "
            f"of shape (num_samples, num_classes). Received: shape {logits.shape}"
        )
    if finite:
        check_finite(logits)
    return logits


def predict_features(model, x, *, batch_size: int = _BATCH_SIZE) -> np.ndarray:
    """Return penultimate activations, of shape `(num_samples, num_features)`."""
    return check_finite(_predict(classifier.features, model, x, batch_size))


def predict_probabilities(model, x, *, batch_size: int = _BATCH_SIZE) -> np.ndarray:
    """Return class probabilities, of shape `(num_samples, num_classes)`."""
    outputs = predict_logits(model, x, batch_size=batch_size)
    if are_probabilities(outputs):
        return outputs
    return softmax(outputs)


def evaluate(model, x, y, *, batch_size: int = _BATCH_SIZE) -> tuple[float, float]:
    """Return the mean cross-entropy, in nats, and the accuracy, in [0, 1].

    Args:
        model: A classifier.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        y: Integer class indices, of shape `(num_samples,)`.
        batch_size: Number of images in a batch. Defaults to 1024.

    Raises:
        ValueError: If an argument is invalid, or outputs are not finite.
    """
    classifier.check_model(model)
    _validation.check_images("x", x, sample_shape=classifier.sample_shape(model))
    probabilities = predict_probabilities(model, x, batch_size=batch_size)
    num_samples, num_classes = probabilities.shape
    labels = _validation.check_labels(
        "y", y, num_samples=num_samples, num_classes=num_classes
    )
    correct = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.maximum(correct, np.finfo(correct.dtype).tiny)).mean()
    return float(loss), float((probabilities.argmax(axis=1) == labels).mean())


def are_probabilities(outputs: np.ndarray) -> bool:
    """Return whether all rows lie in [0, 1] and sum to one, as a softmax's do."""
    in_range = (outputs >= 0).all() and (outputs <= 1).all()
    return bool(in_range and np.allclose(outputs.sum(axis=1), 1, atol=1e-4))


def check_logits(outputs: np.ndarray) -> np.ndarray:
    """Return a model's outputs, or raise ValueError if they are probabilities."""
    if are_probabilities(outputs):
        raise ValueError(
            "Argument `model` must return logits, end in a softmax layer whose input "
            "is accessible, or have a method `logits(inputs)`. "
            "Received: a model whose outputs are probabilities"
        )
    return outputs


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return class probabilities, along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def check_finite(outputs: np.ndarray) -> np.ndarray:
    """Return what a model computes, or raise ValueError if it is not finite."""
    if not np.isfinite(outputs).all():
        row = int(np.argwhere(~np.isfinite(outputs))[0, 0])
        raise ValueError(
            "Argument `model` must compute finite numbers. "
            f"Received: NaN or infinity for sample {row} of {len(outputs)}"
        )
    return outputs


def float_batches(x, batch_size: int) -> Iterator[np.ndarray]:
    """Yield float32 batches of `x`, which is never converted as a whole."""
    for start in range(0, x.shape[0], batch_size):
        yield np.asarray(x[start : start + batch_size], dtype=np.float32)


def _predict(compute, model, x, batch_size):
    """Compute `classifier.logits` or `classifier.features` of all images."""
    forward = _traced(model, compute, tuple(x.shape[1:]))
    outputs = [forward(batch).numpy() for batch in float_batches(x, batch_size)]
    num_rows = sum(len(rows) for rows in outputs)
    if num_rows != x.shape[0]:
        raise ValueError(
            "Argument `model` must compute one row for each sample. "
            f"Received: {num_rows} rows for {x.shape[0]} samples"
        )
    return np.concatenate(outputs)


@tracing.cached_per_model
def _traced(model, compute, sample_shape):
    return tracing.traced(compute(model), (sample_shape, "float32"))
