"""Data and trained networks for the benchmarks."""

import functools
from typing import TYPE_CHECKING

import numpy as np
from experiments.problems import PROBLEMS
from experiments.running import problem_training

import dfal_keras as dfal

if TYPE_CHECKING:  # Keras loads TensorFlow
    import keras

NUM_LABELED = 500  # of the networks that are queried and attacked


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return MNIST's shuffled training set and 800 scaled digits of its test set.

    Returns:
        `(x, y, pool)`: uint8 (60000, 28, 28, 1), labels (60000,) and float32
        (800, 28, 28, 1) in [0, 1].
    """
    (x, y), (x_test, _) = dfal.datasets.load_data("mnist")
    rows = np.random.default_rng(0).permutation(len(x))
    return x[rows], y[rows], scaled(x_test[:800])


@functools.cache
def trained(network: str, num_labeled: int) -> "keras.Model":
    """Return a network for pixels in [0, 1], trained once by the paper's recipe.

    The sections share it: do not change it.

    Args:
        network: "LeNet5" or "VGG8".
        num_labeled: Size of the training set, drawn from `digits`.
    """
    x, y, _ = digits()
    problem = PROBLEMS[f"mnist-{network.lower()}"]
    train = problem_training.new_training(
        problem, include_preprocessing=False, num_restarts=1
    )
    rows = np.random.default_rng(0).choice(len(x), num_labeled, replace=False)
    return train(scaled(x[rows]), y[rows], seed=0)


def scaled(images: np.ndarray) -> np.ndarray:
    """Return uint8 pixels as float32 in [0, 1]."""
    return images.astype(np.float32) / 255
