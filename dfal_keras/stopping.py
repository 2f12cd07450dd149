"""When to stop labeling: once the predictions of successive models agree.

Reference:
    - Bloodgood & Vijay-Shanker, 2009, "A method for stopping active learning based on
      stabilizing predictions and the need for user-adjustable stopping".
"""

import statistics
from collections.abc import Sequence

import numpy as np

from dfal_keras import _validation


def agreement(labels_a, labels_b) -> float:
    """Return the agreement of two models on the same samples, as Cohen's kappa.

        kappa = (p_o - p_e) / (1 - p_e)

    p_o is the share of samples with equal predictions, and p_e the share expected by
    chance, from the shares of the classes in the predictions of each model.

    Reference:
        - Cohen, 1960, "A coefficient of agreement for nominal scales".

    Args:
        labels_a: The classes that one model predicts, integers of shape
            `(num_samples,)`. Bloodgood & Vijay-Shanker use a fixed set of about 2,000
            unlabeled samples.
        labels_b: The classes that the other model predicts for the same samples.

    Returns:
        1 if all predictions are equal, 0 for an agreement as by chance, and a negative
        number for less. It is also 1 if both models predict the same class for all
        samples, where kappa is not defined.

    Raises:
        ValueError: If an argument does not hold class indices, or the numbers of
            samples differ.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.stopping.agreement([0, 0, 1, 1], [0, 0, 1, 0])
        0.5
    """
    num_samples = len(list(labels_a)) if np.iterable(labels_a) else 0
    if not num_samples:
        raise _validation.ArgumentError(
            "labels_a",
            f"must hold at least one class index. Received: labels_a={labels_a!r:.80}",
        )
    a = _validation.check_labels("labels_a", labels_a, num_samples=num_samples)
    b = _validation.check_labels("labels_b", labels_b, num_samples=num_samples)
    classes, rows = np.unique(np.concatenate([a, b]), return_inverse=True)
    counts = [
        np.bincount(each, minlength=len(classes)) for each in np.split(rows.ravel(), 2)
    ]
    # Multiplied by num_samples ** 2, the shares are exact integers.
    observed = num_samples * int((a == b).sum())
    expected = int(counts[0] @ counts[1])
    if expected == num_samples**2:
        return 1.0
    return (observed - expected) / (num_samples**2 - expected)


def has_stabilized(
    agreements: Sequence[float], *, window: int = 3, threshold: float = 0.99
) -> bool:
    """Return whether the predictions of the last models have stabilized.

    They have if the mean of the last agreements is at least the threshold. More labels
    then seem to bring little.

    Reference:
        - Bloodgood & Vijay-Shanker, 2009, "A method for stopping active learning based
          on stabilizing predictions and the need for user-adjustable stopping".

    Args:
        agreements: The `agreement` of each model with the one before, in the order of
            training, on the same samples in every round.
        window: Number of last agreements to average. Defaults to 3, as in the paper.
        threshold: The mean to reach, at most 1. A lower one stops earlier. Defaults to
            0.99, as in the paper.

    Returns:
        `True` if the mean reaches the threshold; `False` if it does not, or if there
        are fewer than `window` agreements.

    Raises:
        ValueError: If an argument is invalid.

    Example:
        >>> import dfal_keras as dfal
        >>> dfal.stopping.has_stabilized([0.7, 0.95, 0.99, 0.99, 0.995])
        True
        >>> dfal.stopping.has_stabilized([0.99, 0.99])
        False
    """
    _validation.check_count("window", window)
    _validation.check_number("threshold", threshold, minimum=-1, maximum=1)
    if not np.iterable(agreements):
        raise _validation.ArgumentError(
            "agreements",
            "must be a list of numbers from -1 to 1. "
            f"Received: agreements={agreements!r:.80}",
        )
    numbers = [
        float(_validation.check_number(f"agreements[{i}]", each, minimum=-1, maximum=1))
        for i, each in enumerate(agreements)
    ]
    # `mean` is exact: three times 0.99 is 0.99.
    return len(numbers) >= window and statistics.mean(numbers[-window:]) >= threshold
