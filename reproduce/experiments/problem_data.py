"""The data of your own problems: loaded, checked and identified; and subsets."""

import functools
import os

import numpy as np

from dfal_keras import _validation
from dfal_keras.datasets import fingerprints
from experiments import problems
from experiments.problems import Problem


@functools.cache
def load(problem: Problem) -> tuple:
    """Load and check the data set of your own problem, once for each process.

    Args:
        problem: A problem whose data set is not one of `dfal_keras.datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all samples, with labels as int64.

    Raises:
        ValueError: If the data can't be loaded, or the arrays are invalid.
    """
    try:
        data = _read(problem.dataset)
    except Exception as error:  # any error of the user's code
        reason = problems.one_line(error)
        raise ValueError(f"the data can't be loaded: {reason}") from error
    try:
        (x_train, y_train), (x_test, y_test) = data
    except (TypeError, ValueError) as error:
        raise ValueError(
            "the data must be (x_train, y_train), (x_test, y_test). "
            f"Received: {type(data).__name__}"
        ) from error
    _validation.check_images("x_train", x_train, sample_shape=problem.input_shape)
    shape = tuple(x_train.shape[1:])
    _validation.check_images("x_test", x_test, sample_shape=shape)
    y_train, y_test = (
        _validation.check_labels(
            name, y, num_samples=x.shape[0], num_classes=problem.num_classes
        )
        for name, x, y in (("y_train", x_train, y_train), ("y_test", x_test, y_test))
    )
    return (x_train, y_train), (x_test, y_test)


@functools.cache
def fingerprint(problem: Problem) -> dict:
    """Return a dict that identifies the data set of your own problem.

    Args:
        problem: See `load`.

    Returns:
        A JSON-compatible dict, as `dfal_keras.datasets.fingerprint` returns it, with
        "num_classes" in place of "class_names".
    """
    data = load(problem)
    samples = {
        f"x_{split}": {"shape": list(x.shape), "dtype": str(x.dtype)}
        for split, (x, _) in zip(("train", "test"), data, strict=True)
    }
    sha256 = fingerprints.checksum(data)
    return {**samples, "num_classes": problem.num_classes, "sha256": sha256}


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the first `count` samples of each class, in ascending order.

    Args:
        labels: Class indices, of shape (num_samples,).
        count: Number of samples. Classes with fewer samples are taken whole.
    """
    classes = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    return np.sort(np.concatenate(classes))


def _read(dataset):
    """Return the data of a function, of an .npz file, or as it is."""
    if callable(dataset):
        return dataset()
    if isinstance(dataset, os.PathLike):
        with np.load(dataset, allow_pickle=False) as stored:
            return tuple(
                (stored[f"x_{split}"], stored[f"y_{split}"])
                for split in ("train", "test")
            )
    return dataset
