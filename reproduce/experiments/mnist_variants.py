"""MNIST made harder, for the studies."""

import numpy as np

from dfal_keras.datasets import mnist_cache

RARE_DIGITS = (1, 3, 5, 7, 9)
RARE_SHARE = 10  # one of ten images of these is kept
WRONG_SHARE = 0.1


def imbalanced() -> tuple:
    """Return MNIST with the first tenth of the training images of five digits."""
    (x, y), test_data = mnist_cache.load_data()
    kept = [
        rows[: len(rows) // RARE_SHARE] if digit in RARE_DIGITS else rows
        for digit, rows in ((d, np.flatnonzero(y == d)) for d in range(10))
    ]
    rows = np.sort(np.concatenate(kept))
    return (x[rows], y[rows]), test_data


def noisy() -> tuple:
    """Return MNIST with another label for 10 % of the training images.

    The images are chosen at random, the labels too, the same in each trial.
    """
    (x, y), test_data = mnist_cache.load_data()
    rng = np.random.default_rng(0)
    rows = rng.choice(len(y), round(WRONG_SHARE * len(y)), replace=False)
    wrong = np.array(y)
    wrong[rows] = (wrong[rows] + rng.integers(1, 10, len(rows))) % 10
    return (x, wrong), test_data
