"""The networks that the attacks are timed on."""

import keras
import numpy as np
from experiments import execution
from experiments.problems import PROBLEMS

import dfal_keras as dfal


def digits() -> tuple:
    """Return MNIST's training set, shuffled, and 800 scaled digits of its test set."""
    (x, y), (x_test, _) = dfal.datasets.load_data("mnist")
    rows = np.random.default_rng(0).permutation(len(x))
    return x[rows], y[rows], scaled(x_test[:800])


def trained(network: str, x, y, num_labeled: int, seed=0) -> keras.Model:
    """Return a network for pixels in [0, 1], trained once by the paper's recipe."""
    problem = PROBLEMS[f"mnist-{network.lower()}"]
    train = execution.new_training(problem, include_preprocessing=False, num_restarts=1)
    rows = np.random.default_rng(seed).choice(len(x), num_labeled, replace=False)
    return train(scaled(x[rows]), y[rows], seed=seed)


def scaled(images) -> np.ndarray:
    """Return raw pixels in [0, 1]."""
    return images.astype(np.float32) / 255
