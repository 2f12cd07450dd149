"""What a model predicts for the images of a pool."""

import math

import keras
import numpy as np

from dfal_keras.backend import inference

_SAMPLE_SIZE = 500  # images to find out whether a model is trained
_NUM_CHECKED = 32  # images
NEARLY_ALL = 0.95


def share_of_one_class(model: keras.Model, pool) -> tuple[float, int]:
    """Return the share of the most frequent prediction, and its class.

    Args:
        model: The model.
        pool: Images, of which at most 500 are predicted.
    """
    step = max(1, math.ceil(len(pool) / _SAMPLE_SIZE))
    predicted = inference.predict_classes(model, pool[::step])
    counts = np.bincount(predicted)
    return float(counts.max() / len(predicted)), int(counts.argmax())


def check(model: keras.Model, pool) -> None:
    """Raise ValueError if class probabilities of a model can't be computed."""
    inference.predict_classes(model, pool[:_NUM_CHECKED])


def says_several_classes(model: keras.Model, pool) -> bool:
    """Return whether a model seems trained: it predicts several classes."""
    return share_of_one_class(model, pool)[0] <= NEARLY_ALL
