import functools

import keras
import numpy as np
from helpers import bad_calls
from helpers.bad_calls import IMAGES, LABELS, dense
from keras import layers

import dfal_keras as dfal


@functools.cache
def classifier():
    return dense(3, "softmax", loss="sparse_categorical_crossentropy")


def train(x, y, seed=0):
    dfal.Training(classifier(), num_restarts=1, epochs=1)(x, y, seed=seed)


def train_with(loss):
    model = dense(3, optimizer="adam", loss=loss)
    dfal.Training(model, num_restarts=1, epochs=1)(IMAGES, LABELS, seed=0)


CALLS = {
    "a function": ("model", lambda: dfal.Training(lambda x: x)),
    "an unbuilt model": (
        "model",
        lambda: dfal.Training(keras.Sequential([layers.Dense(3)])),
    ),
    "a loss for images": ("model", lambda: train_with("mse")),
    "a loss for one-hot labels": (
        "model",
        lambda: train_with("categorical_crossentropy"),
    ),
    "no loss": ("model", lambda: train_with(None)),
    "restarts as a bool": (
        "num_restarts",
        lambda: dfal.Training(classifier(), num_restarts=True),
    ),
    "a split as text": (
        "validation_split",
        lambda: dfal.Training(classifier(), validation_split="0.2"),
    ),
    "a split of NaN": (
        "validation_split",
        lambda: dfal.Training(classifier(), validation_split=np.nan),
    ),
    "endless patience": (
        "patience",
        lambda: dfal.Training(classifier(), patience=np.inf),
    ),
    "beyond float32": (
        "x",
        lambda: train(np.full((20, 4, 4, 1), 1e300), LABELS),
    ),
    "one-hot labels": (
        "y",
        lambda: train(IMAGES, np.eye(3, dtype=int)[LABELS]),
    ),
    "labels as text": ("y", lambda: train(IMAGES, ["a"] * 20)),
    "labels beyond int64": (
        "y",
        lambda: train(IMAGES, np.full(20, 2**63, "uint64")),
    ),
    "a seed as a bool": (
        "seed",
        lambda: train(IMAGES, LABELS, seed=True),
    ),
}


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(named, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad_calls.check_rejected(named, call, tmp_path)
