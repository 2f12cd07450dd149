"""Modules with problems of one's own: a data set, a network and CEAL's threshold."""

import sys

LOAD = """
import numpy as np

from experiments.problems import Problem

NUM_CLASSES = 3


def clusters(sample_shape):
    rng = np.random.default_rng(0)
    y = np.arange(120) % NUM_CLASSES
    centers = rng.uniform(0, 255, size=(NUM_CLASSES, *sample_shape))
    x = (centers[y] + rng.normal(0, 40, size=(120, *sample_shape))).clip(0, 255)
    return x, y


def images():
    x, y = clusters((6, 6, 1))
    return (x[:90].astype("uint8"), y[:90]), (x[90:].astype("uint8"), y[90:])


def table():
    x, y = clusters((5,))
    return (x[:90], y[:90]), (x[90:], y[90:])


def network(input_shape, num_classes, units=8):
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dropout(0.1),
            layers.Dense(num_classes, activation="softmax"),
        ]
    )


def wide(input_shape, num_classes):
    return network(input_shape, num_classes, units=16)
"""
PROBLEMS = """

clusters_6x6 = Problem(images, network, NUM_CLASSES, ceal_threshold=0.2)
wide_6x6 = Problem(images, wide, NUM_CLASSES, title="Clusters (wide)")


def features():
    return Problem(table(), network, num_classes=NUM_CLASSES, title="Features")
"""


def write(folder, name, problems=PROBLEMS):
    """Write a module of this name. A process imports it only once.

    Args:
        folder: Its folder.
        name: Its name.
        problems: Its code after the definitions of `LOAD`. Defaults to three problems.
    """
    (folder / f"{name}.py").write_text(LOAD + problems)


def import_from(folder, name, monkeypatch):
    """Make a module importable that no test of this process has imported."""
    assert name not in sys.modules
    monkeypatch.syspath_prepend(str(folder))
