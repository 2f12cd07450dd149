"""The part of the labels that a model is tested on, and the results of the test."""

import numpy as np


def choose(labels: np.ndarray, checksums: list[str], fraction: float) -> np.ndarray:
    """Choose a fixed share of each class for testing, by the images' checksums.

    Of a class with n >= 2 labels, these are the `max(1, round(fraction * n))` images
    with the smallest checksums. A class with one label has none.

    Args:
        labels: Int array of shape `(num_labels,)`.
        checksums: Checksum of each image.
        fraction: The share, from 0 to below 1.

    Returns:
        Bool array of shape `(num_labels,)`, true for what is held out.
    """
    is_held_out = np.zeros(len(labels), bool)
    order = np.argsort(checksums, kind="stable")
    for label in np.unique(labels) if fraction else ():
        rows = order[labels[order] == label]
        if len(rows) >= 2:
            is_held_out[rows[: max(1, round(fraction * len(rows)))]] = True
    return is_held_out


def recalls(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Return the fraction of each class that is predicted right, NaN for none."""
    counts = np.bincount(labels, minlength=num_classes)
    right = np.bincount(labels[labels == predicted], minlength=num_classes)
    with np.errstate(invalid="ignore"):
        return right / counts
