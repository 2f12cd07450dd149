"""The data of problems: whether it is there, its identity, its subsets and splits."""

import functools
import os

import numpy as np

from dfal_keras import _validation, datasets
from dfal_keras.datasets import fingerprints
from experiments import problems
from experiments.drawings import Drawings
from experiments.problems import Problem


def is_complete(problem: Problem) -> bool:
    """Return whether the data set of a problem is on this machine."""
    return _source(problem).is_complete()


def status(problem: Problem) -> str:
    """Return the state of the data set, a colon and the details, one line."""
    return _source(problem).status()


def how_to_get(problem: Problem) -> str:
    """Return the command that downloads the data set, "" for one of a user."""
    return _source(problem).how_to_get()


def identity(problem: Problem) -> dict | None:
    """Return the fingerprint of the data set, `None` if it is not on this machine."""
    source = _source(problem)
    return source.fingerprint() if source.is_complete() else None


def _source(problem):
    """Return what knows where the data set of a problem comes from."""
    dataset = problem.dataset
    if isinstance(dataset, str):
        return _Packaged(dataset)
    return dataset if isinstance(dataset, Drawings) else _Own(problem)


class _Packaged:
    """A data set of `dfal_keras.datasets`, by its name."""

    def __init__(self, name):
        self.name = name

    def is_complete(self):
        return datasets.is_complete(self.name)

    def status(self):
        return datasets.status(self.name)

    def how_to_get(self):
        return f"python -m dfal_keras.datasets fetch {self.name}"

    def fingerprint(self):
        return datasets.fingerprint(self.name)


class _Own:
    """Arrays of a user, which are always there."""

    def __init__(self, problem):
        self.problem = problem

    def is_complete(self):
        return True

    def status(self):
        return "complete: your own"

    def how_to_get(self):
        return ""

    def fingerprint(self):
        return fingerprint(self.problem)


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


def split(data: tuple, seed: int) -> tuple:
    """Split all samples anew, with the same numbers of each class.

    Args:
        data: `(x_train, y_train), (x_test, y_test)`.
        seed: Seed of the split.

    Returns:
        Training and test samples, as in `data`, sorted by class.
    """
    (_, y_train), _ = data
    x, y = (np.concatenate(arrays) for arrays in zip(*data, strict=True))
    rng = np.random.default_rng(seed)
    train, test = [], []
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        count = np.count_nonzero(y_train == label)
        train.append(np.sort(rows[:count]))
        test.append(np.sort(rows[count:]))
    return tuple((x[rows], y[rows]) for rows in map(np.concatenate, (train, test)))


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
