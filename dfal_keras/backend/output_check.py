"""A check of `classifier.scores` against the outputs of the model itself."""

import keras
import numpy as np
from keras import ops

from dfal_keras import _validation
from dfal_keras.backend import classifier, probing, tracing

NUM_IMAGES = 8  # that are checked


def check(model, images: np.ndarray, scores: np.ndarray, *, of: str = "logits") -> bool:
    """Raise ValueError if a model's outputs do not follow from scores.

    The check does not rely on the analysis of the model's layers. It is made once for
    each model, on the first images, and again after its layers have changed.

    Args:
        model: A classifier that passes `classifier.check_model`, or a function.
        images: A batch of images, of shape `(num_samples, ...)`.
        scores: What `classifier.scores(model)` returns for them.
        of: What the scores were computed from, as messages name it. Each is checked
            once. Defaults to `"logits"`.

    Returns:
        Whether the check is made. Later batches need it if all scores are NaN or
        infinite.
    """
    if is_checked(model, of=of):
        return True
    is_finite = np.isfinite(scores).all(axis=1)
    images, scores = images[is_finite][:NUM_IMAGES], scores[is_finite][:NUM_IMAGES]
    if not len(images):
        return False
    compare(model, images, scores, of)
    _checked(model).add(of)
    return True


def is_checked(model, *, of: str = "logits") -> bool:
    """Return whether scores were checked for a model, or need no check.

    Args:
        model: A classifier. There is nothing to compare the scores of a function with.
        of: As for `check`. Defaults to `"logits"`.
    """
    return not isinstance(model, keras.Model) or of in _checked(model)


@tracing.cached_per_model
def _checked(model) -> set:
    """Return the names of the scores that were checked for a model."""
    return set()


def compare(
    model: keras.Model, images: np.ndarray, scores: np.ndarray, of: str = "logits"
) -> None:
    """Raise ValueError if a model's outputs for images do not follow from scores."""
    kind = classifier.head(model).kind
    kinds = (
        ("logits", "softmax", "sigmoid")
        if classifier.method(model, "logits")
        else (kind,)
    )
    outputs = _call(model, images)
    error = min(_difference(each, scores, outputs) for each in kinds)
    if error <= max(_TOLERANCE, 16 * probing.resolution(model)):
        return
    noise = np.abs(_call(model, images) - outputs).max()
    if noise > 0:
        reason = f"outputs that differ by {noise:.2g} from one call to the next"
    else:
        reason = f"outputs that differ by {error:.2g} from those of its {of}"
    raise _validation.ArgumentError(
        "model",
        "must compute the same class probabilities for the same "
        f"images in inference mode, and they must be those of its {of}. Received: "
        f"the model {model.name!r} with {reason}",
    )


# TensorFloat-32, on a GPU, changes probabilities by up to 1e-3.
_TOLERANCE = 2e-3


def _call(model, images):
    outputs = ops.cast(model(images, training=False), "float32")
    return ops.convert_to_numpy(outputs)


def _difference(kind, scores, outputs):
    """Return the distance of outputs from those that follow from scores."""
    found, expected = scores, outputs
    if kind == "unknown":
        scale = max(1.0, np.abs(expected).max())
        found, expected = found / scale, expected / scale
    elif outputs.shape[1] == 1:
        found = _sigmoid(scores)
        if kind == "logits":
            expected = _sigmoid(outputs)
    else:
        found = _softmax(scores)
        if kind == "logits":
            expected = _softmax(outputs)
    if found.shape != expected.shape:
        return np.inf
    return float(np.abs(found - expected).max())


def _softmax(logits):
    return ops.convert_to_numpy(ops.softmax(logits, axis=-1))


def _sigmoid(logits):
    return ops.convert_to_numpy(ops.sigmoid(logits))
