"""Predictions on pools of any size, one float32 batch at a time."""

from collections.abc import Callable, Iterator

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import (
    classifier,
    compiled_loss,
    memory,
    output_check,
    output_kinds,
    tracing,
)

MAX_BATCH_SIZE = 1024


def predict_logits(
    model, x, *, batch_size: int | None = None, finite: bool = True
) -> np.ndarray:
    """Return logits.

    Args:
        model: A classifier that passes `classifier.check_model`.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        batch_size: Number of images in a batch. Defaults to `None`: up to 1024, as far
            as the model's activations fit in about 1 GB.
        finite: Whether to raise an error for NaN and infinity. Defaults to `True`.

    Returns:
        Float32 array of shape `(num_samples, num_classes)`.

    Raises:
        ValueError: If the model's outputs have another shape, are not finite, or are
            probabilities whose logits are not accessible.
    """
    logits = []
    for outputs, are_logits in _scores(model, x, batch_size):
        output_kinds.check_are_logits(are_logits)
        logits.append(outputs)
    found = np.concatenate(logits)
    return check_finite(found) if finite else found


def check_returns_logits(model) -> None:
    """Raise ValueError if a model plainly returns probabilities, before any training.

    For models that are not functional, only the outputs for images can show this.

    Args:
        model: A classifier that passes `classifier.check_model`, trained or not.
    """
    output_kinds.check_are_logits(not _returns_probabilities(model))


@tracing.cached_per_model
def _returns_probabilities(model):
    """Return whether the outputs of unknown layers are probabilities, for zeros."""
    shape = classifier.sample_shape(model)
    if shape is None or None in shape or classifier.head(model).kind != "unknown":
        return False
    forward = _traced(model, classifier.scores, shape)
    outputs = forward(np.zeros((1, *shape), np.float32)).numpy()
    is_single = outputs.shape[1:] == (1,)
    if outputs.ndim != 2 or (is_single and compiled_loss.takes_logits(model)):
        return False
    return output_kinds.are_probabilities(outputs, model)


def predict_features(model, x, *, batch_size: int | None = None) -> np.ndarray:
    """Return penultimate activations, of shape `(num_samples, num_features)`."""
    batches = _batches(classifier.features, model, x, batch_size)
    return check_finite(np.concatenate([features for _, features in batches]))


def unit_length(features: np.ndarray) -> np.ndarray:
    """Return features scaled to length 1, as float64; zero vectors are unchanged.

    Args:
        features: Array of shape `(num_samples, num_features)`.
    """
    features = np.asarray(features, np.float64)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(norms > 0, norms, 1)


def predict_probabilities_of_features(
    model, features: np.ndarray, *, batch_size: int | None = None
) -> np.ndarray:
    """Return the class probabilities that the last layer computes from features.

    Args:
        model: A Sequential or functional classifier that passes
            `classifier.check_model`.
        features: What `predict_features` returns, or other points of that space, of
            shape `(num_samples, num_features)`.
        batch_size: Number of samples in a batch. Defaults to `None`, 1024.

    Returns:
        Float32 array of shape `(num_samples, num_classes)`.

    Raises:
        ValueError: If the layers of the model are not accessible, or none is the last.
    """
    forward = _traced(model, classifier.scores_of_features, features.shape[1:])
    batches = float_batches(features, batch_size or MAX_BATCH_SIZE)
    scores = np.concatenate([forward(batch).numpy() for batch in batches])
    return output_kinds.to_probabilities(model, check_finite(scores))


def check_features(model, x, features: np.ndarray) -> None:
    """Raise ValueError if the last layer does not compute the outputs from features.

    The last layer may take more than features, such as a mask. The check is made once
    for each model, and again after its layers have changed.

    Args:
        model: As for `predict_probabilities_of_features`.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        features: What `predict_features` returns for them.
    """
    if not output_check.is_checked(model, of="features"):
        first = slice(output_check.NUM_IMAGES)
        forward = _traced(model, classifier.scores_of_features, features.shape[1:])
        scores = check_finite(forward(features[first]).numpy())
        images = np.asarray(x[first], np.float32)
        output_check.check(model, images, scores, of="features")


def predict_probabilities(model, x, *, batch_size: int | None = None) -> np.ndarray:
    """Return class probabilities, of shape `(num_samples, num_classes)`."""
    return map_probabilities(np.asarray, model, x, batch_size=batch_size)


def predict_classes(model, x) -> np.ndarray:
    """Return the most likely classes, an int array of shape `(num_samples,)`."""
    return map_probabilities(lambda rows: rows.argmax(axis=1), model, x)


def map_probabilities(
    function: Callable, model, x, *, batch_size: int | None = None
) -> np.ndarray:
    """Apply a function to the class probabilities of each batch.

    Memory holds the probabilities of one batch at a time.

    Args:
        function: Function from probabilities of shape `(batch_size, num_classes)` to
            an array of shape `(batch_size, ...)`.
        model: A classifier that passes `classifier.check_model`.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
        batch_size: As for `predict_logits`. Defaults to `None`.

    Returns:
        Array of shape `(num_samples, ...)`.

    Raises:
        ValueError: If the model's outputs have another shape, are not finite, are
            probabilities for some batches only, or are in [0, 1] without being logits
            or class probabilities.
    """
    results: list[np.ndarray] = []
    start = 0
    for outputs, are_logits in _scores(model, x, batch_size):
        check_finite(outputs, start, x.shape[0])
        results.append(
            function(output_kinds.softmax(outputs) if are_logits else outputs)
        )
        start += len(outputs)
    return np.concatenate(results)


def returns_logits(model, x) -> bool:
    """Return whether the outputs of a model for images are logits.

    Args:
        model: A Sequential or functional classifier that passes
            `classifier.check_model`.
        x: Images as the model takes them, of shape `(num_samples, ...)`.
    """
    kind = classifier.head(model).kind
    if kind in ("softmax", "sigmoid"):
        return False
    return all(are_logits for _, are_logits in _scores(model, x, None))


def check_finite(
    outputs: np.ndarray, start: int = 0, num_samples: int | None = None
) -> np.ndarray:
    """Return the outputs of a model, or raise ValueError if one is not finite.

    Args:
        outputs: Array of shape `(batch_size, ...)`.
        start: Position of the first row among all samples. Defaults to 0.
        num_samples: Number of all samples. Defaults to `None`, that of `outputs`.
    """
    if not np.isfinite(outputs).all():
        row = start + int(np.argwhere(~np.isfinite(outputs))[0, 0])
        raise _validation.ArgumentError(
            "model",
            "must compute finite numbers. Received: NaN or infinity "
            f"for sample {row} of {num_samples or len(outputs)}",
        )
    return outputs


def check_num_rows(num_rows: int, num_samples: int) -> None:
    """Raise ValueError if a model does not compute one row for each sample."""
    if num_rows != num_samples:
        raise _validation.ArgumentError(
            "model",
            "must compute one row for each sample. "
            f"Received: {num_rows} rows for {num_samples} samples",
        )


def float_batches(x, batch_size: int) -> Iterator[np.ndarray]:
    """Yield float32 batches of `x`, which is never converted as a whole."""
    for start in range(0, x.shape[0], batch_size):
        yield np.asarray(x[start : start + batch_size], dtype=np.float32)


def _scores(model, x, batch_size):
    """Yield logits or class probabilities of each batch, and whether they are logits.

    If the analysis of the layers does not tell the kind of outputs, their values do.
    """
    start, known = 0, None
    # Once, not for each batch: they look at all layers of the model.
    head = classifier.head(model)
    is_checked = output_check.is_checked(model)
    for images, outputs in _batches(classifier.scores, model, x, batch_size):
        _check_class_scores(outputs)
        is_finite = np.isfinite(outputs).all(axis=1)
        are_logits = output_kinds.are_logits(outputs[is_finite], model, head)
        if known not in (None, are_logits) and are_logits is not None:
            raise _validation.ArgumentError(
                "model",
                "must return logits for all samples or probabilities "
                f"for all samples. Received: both, before and from sample {start}",
            )
        known = known if are_logits is None else are_logits
        is_checked = is_checked or output_check.check(model, images, outputs)
        start += len(outputs)
        yield output_kinds.two_classes(outputs, known is not False), known is not False


def _check_class_scores(logits):
    if logits.ndim != 2:
        raise _validation.ArgumentError(
            "model",
            "must return the scores of all classes for each sample, "
            f"of shape (num_samples, num_classes). Received: shape {logits.shape}",
        )


def _batches(compute, model, x, batch_size):
    """Yield each batch, and `classifier.scores` or `classifier.features` of it."""
    sample_shape = tuple(x.shape[1:])
    if batch_size is None:
        batch_size = memory.batch_size(model, sample_shape, maximum=MAX_BATCH_SIZE)
    forward = _traced(model, compute, sample_shape)
    for batch in float_batches(x, batch_size):
        outputs = forward(batch).numpy()
        if outputs.ndim:
            check_num_rows(len(outputs), len(batch))
        yield batch, outputs


@tracing.cached_per_model
def _traced(model, compute, sample_shape):
    return tracing.traced(compute(model), (sample_shape, "float32"))
