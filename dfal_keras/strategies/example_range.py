"""Adversarial examples that are far outside the range of the pool."""

import logging

import numpy as np

_logger = logging.getLogger(__name__)
_BLOCK_SIZE = 256  # samples that are read at a time


def within_range(
    examples: np.ndarray, chosen: np.ndarray, x_unlabeled, name: str
) -> np.ndarray:
    """Return which adversarial examples are near the range of the pool.

    An example is too far if a value leaves the range of the candidates by more than the
    size of that range. Such an example is no longer an image and must not be trained
    on. A warning is logged. If all candidates are constant, their range is unknown:
    none is too far.

    Args:
        examples: Float array of shape `(num_examples, ...)`.
        chosen: Their originals, of the same shape.
        x_unlabeled: The candidates, of shape `(num_samples, ...)`.
        name: Name of the strategy, for the warning.

    Returns:
        Bool array of shape `(num_examples,)`.

    Example:
        >>> x = np.array([[0.0, 1.0], [0.5, 0.5]])
        >>> examples = np.array([[-0.9, 1.9], [0.5, 2.1]])
        >>> within_range(examples, x, x, "DFAL").tolist()
        [True, False]
    """
    is_near = _is_near(examples, *_range(chosen))
    if not is_near.all():  # only then, all candidates are read
        blocks = range(0, x_unlabeled.shape[0], _BLOCK_SIZE)
        ranges = [_range(x_unlabeled[i : i + _BLOCK_SIZE]) for i in blocks]
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        is_near = _is_near(examples, low, high)
    if not is_near.all():
        _logger.warning(
            "%s: %d of %d adversarial examples leave the range of the pool, %g to "
            "%g, by more than that range, and are not added. Pass `bounds`, to clip "
            "adversarial examples",
            *(name, (~is_near).sum(), len(examples), low, high),
        )
    return is_near


def _range(x):
    """Return the smallest and the largest finite value."""
    values = np.asarray(x, np.float64)
    values = values[np.isfinite(values)]
    return (values.min(), values.max()) if values.size else (np.inf, -np.inf)


def _is_near(examples, low, high):
    """Return which examples leave a range by at most its size."""
    size = high - low
    if not size:
        return np.ones(len(examples), bool)
    is_valid = (examples >= low - size) & (examples <= high + size)
    return is_valid.all(axis=tuple(range(1, examples.ndim)))
