"""Weights of classes in the training loss."""

import numpy as np

from dfal_keras import _validation

BALANCED = "balanced"


def check(class_weight: dict | str | None) -> dict | str | None:
    """Return `class_weight`, or raise ValueError if it is not valid.

    Args:
        class_weight: Dict from class indices to weights, `"balanced"` or `None`.
    """
    if class_weight is None or class_weight == BALANCED:
        return class_weight
    if not isinstance(class_weight, dict):
        raise _validation.ArgumentError(
            "class_weight",
            "must be a dict from class indices to weights, "
            f'"{BALANCED}" or None. Received: class_weight={class_weight!r}',
        )
    for label, weight in class_weight.items():
        try:
            _validation.check_count("class_weight", label, minimum=0)
            _validation.check_number("class_weight", weight, minimum=0, below=np.inf)
        except ValueError as error:
            raise _validation.ArgumentError(
                "class_weight",
                "must have class indices as keys and finite "
                "numbers of at least 0 as values. "
                f"Received: class_weight={class_weight!r}",
            ) from error
    return class_weight


def of_samples(
    class_weight: dict | str, y: np.ndarray, *, num_classes: int
) -> np.ndarray:
    """Return the weight of each sample.

    Args:
        class_weight: Dict from class indices to weights, 1 for others; or
            `"balanced"`, for weights that are inversely proportional to the number of
            samples of a class, and 1 on average over samples.
        y: Integer class indices, of shape `(num_samples,)`.
        num_classes: Number of classes.

    Returns:
        Float32 array of shape `(num_samples,)`.

    Raises:
        ValueError: If `class_weight` has a class that does not exist.
    """
    if isinstance(class_weight, str):
        labels, counts = np.unique(y, return_counts=True)
        class_weight = dict(zip(labels, len(y) / (len(labels) * counts), strict=True))
    weights = np.ones(num_classes)
    for label, weight in class_weight.items():
        if label >= num_classes:
            raise _validation.ArgumentError(
                "class_weight",
                "must have keys below the model's "
                f"{num_classes} classes. Received: class_weight={class_weight!r}",
            )
        weights[label] = weight
    return weights[y].astype(np.float32)
