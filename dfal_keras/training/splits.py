"""Splits of a labeled set into a training and a validation part."""

import numpy as np


def split(
    y: np.ndarray, num_held_out: int, *, stratify: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Split the rows of a labeled set at random.

    Args:
        y: Integer class indices, of shape `(num_samples,)`.
        num_held_out: Number of rows of the validation part.
        stratify: Whether both parts have each class in proportion. As far as the
            sizes allow, the training part then has a sample of every class, and the
            validation part one of every class that has two.
        rng: Source of randomness.

    Returns:
        Rows of the training part and of the validation part, int32, in random order.
    """
    rows = rng.permutation(len(y)).astype(np.int32)
    if stratify:
        rows = rows[np.argsort(_quantiles_in_class(y[rows]), kind="stable")]
    return rows[num_held_out:], rows[:num_held_out]


def split_groups(
    y: np.ndarray,
    groups: np.ndarray,
    num_held_out: int,
    *,
    stratify: bool,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Split a labeled set at random, with all rows of a group in the same part.

    Args:
        y: Integer class indices, of shape `(num_samples,)`.
        groups: Integers of shape `(num_samples,)`, the group of each row.
        num_held_out: Number of groups of the validation part.
        stratify: As for `split`. The class of a group is that of its first row.
        rng: Source of randomness.

    Returns:
        As `split`, with the rows of a group next to each other. If each row is a group
        of its own, the parts of `split`.
    """
    _, first, members = np.unique(groups, return_index=True, return_inverse=True)
    train, held_out = split(y[first], num_held_out, stratify=stratify, rng=rng)
    place = np.empty(len(first), np.int64)
    place[np.concatenate([train, held_out])] = np.arange(len(first))
    rows = np.argsort(place[members], kind="stable").astype(np.int32)
    num_train = int(np.isin(members, train).sum())
    return rows[:num_train], rows[num_train:]


def _quantiles_in_class(y):
    """Return where each row is among those of its class, from 0, first, to 1, last."""
    quantiles = np.empty(len(y))
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        quantiles[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
        quantiles[rows[0]] = 0
        quantiles[rows[-1]] = 1  # a class of one sample is for training
    return quantiles
