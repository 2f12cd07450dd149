"""What the outputs of a model are: logits, or class probabilities."""

import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import classifier, compiled_loss, probing


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return class probabilities, along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def to_probabilities(model, scores: np.ndarray) -> np.ndarray:
    """Return the class probabilities of what `classifier.scores` returns.

    Args:
        model: A classifier that passes `classifier.check_model`.
        scores: Finite array of shape `(..., num_outputs)`.

    Returns:
        Array of shape `(..., num_classes)`.

    Raises:
        ValueError: If the scores are in [0, 1] without being logits or class
            probabilities.
    """
    rows = scores.reshape(-1, scores.shape[-1])
    is_logits = bool(are_logits(rows, model, classifier.head(model)))
    rows = two_classes(rows, is_logits)
    probabilities = softmax(rows) if is_logits else rows
    return probabilities.reshape(*scores.shape[:-1], -1)


def check_are_logits(is_logits: bool) -> None:
    """Raise ValueError if the outputs of a model are probabilities."""
    if not is_logits:
        raise _validation.ArgumentError(
            "model",
            "must return logits, end in a softmax or sigmoid "
            "whose input is accessible, or have a method `logits(inputs)`. "
            "Received: a model whose outputs are probabilities",
        )


def two_classes(scores: np.ndarray, is_logits: bool) -> np.ndarray:
    """Return the scores of two classes for a single logit or probability.

    Args:
        scores: Array of shape `(num_samples, num_outputs)`. With several outputs, it is
            returned as it is.
        is_logits: Whether they are logits.
    """
    if scores.shape[1] != 1:
        return scores
    others = np.zeros_like(scores) if is_logits else 1 - scores
    return np.concatenate([others, scores], axis=1)


def are_logits(outputs: np.ndarray, model, head) -> bool | None:
    """Return whether outputs are logits; `None` if there are none.

    If the analysis of the layers does not tell, the values and a compiled loss do.

    Args:
        outputs: Finite rows of what `classifier.scores` returns.
        model: The model.
        head: Its head, as `classifier.head` returns it.

    Raises:
        ValueError: If they are in [0, 1] without being class probabilities, or a single
            one is not and can't be a logit.
    """
    kind = head.kind
    if kind not in ("logits", "unknown"):
        return True
    if not len(outputs):
        return None
    is_single = outputs.shape[1] == 1
    if is_single and (kind == "logits" or compiled_loss.takes_logits(model)):
        return True
    if (outputs < 0).any() or (outputs > 1).any():
        if is_single:
            _check_may_be_logit(model, head)
        return True
    if are_probabilities(outputs, model):
        return False
    if kind == "logits":
        return True
    raise _validation.ArgumentError(
        "model",
        "must return logits, or probabilities of all classes that sum "
        f"to one. Received: a model with {outputs.shape[1]} outputs in [0, 1] that sum "
        f"to {outputs.sum(axis=1)[0]:.4g}",
    )


def _check_may_be_logit(model, head):
    classifier.check_loss(model)
    if not head.may_be_logits:
        raise _validation.ArgumentError(
            "model",
            "must return a probability or a logit, if it has a single output. "
            f"Received: the model {model.name!r}, whose outputs are not in [0, 1] and "
            "are computed from a sigmoid, or by a function that is not known",
        )


def are_probabilities(outputs: np.ndarray, model) -> bool:
    """Return whether rows are in [0, 1] and, of several outputs, sum to one."""
    if not ((outputs >= 0) & (outputs <= 1)).all():
        return False
    # Rounded to half precision, probabilities do not sum to one exactly.
    tolerance = max(1e-4, 8 * probing.resolution(model))
    sums = outputs.sum(axis=1)
    return outputs.shape[1] == 1 or np.allclose(sums, 1, rtol=0, atol=tolerance)
