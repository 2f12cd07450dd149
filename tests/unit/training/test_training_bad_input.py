import functools
import re

import keras
import numpy as np
import pytest
from helpers import bad_calls
from helpers.bad_calls import IMAGES, LABELS
from helpers.models import linear
from keras import layers

import dfal_keras as dfal


@functools.cache
def classifier():
    model = linear(3, "softmax")
    model.compile(loss="sparse_categorical_crossentropy")
    return model


def train(x, y, seed=0):
    dfal.Training(classifier(), num_restarts=1, epochs=1)(x, y, seed=seed)


def train_with(loss, x=IMAGES, y=LABELS, **options):
    model = linear(3)
    model.compile("adam", loss=loss, **options)
    dfal.Training(model, num_restarts=1, epochs=1)(x, y, seed=0)


def validate_on(x, y):
    train = dfal.Training(
        classifier(), num_restarts=1, epochs=1, validation_data=(x, y)
    )
    train(IMAGES, LABELS, seed=0)


CALLS = {
    "a function": ("model", lambda: dfal.Training(lambda x: x)),
    "an unbuilt model": (
        "model",
        lambda: dfal.Training(keras.Sequential([layers.Dense(3)])),
    ),
    "a loss for images": ("model", lambda: train_with("mse")),
    "a loss for images, as many as classes": (
        "model",
        lambda: train_with("mse", IMAGES[:3], LABELS[:3]),
    ),
    "a metric for one-hot labels": (
        "model",
        lambda: train_with(
            "sparse_categorical_crossentropy", metrics=[keras.metrics.F1Score()]
        ),
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
    "a class weight of no class": (
        "class_weight",
        lambda: dfal.Training(classifier(), class_weight={3: 1.0})(
            IMAGES, LABELS, seed=0
        ),
    ),
    "validation images of another shape": (
        "validation_data[0]",
        lambda: validate_on(IMAGES[:, :3], LABELS),
    ),
    "validation labels of no class": (
        "validation_data[1]",
        lambda: validate_on(IMAGES, LABELS + 1),
    ),
    "validation images alone": (
        "validation_data",
        lambda: dfal.Training(classifier(), validation_data=IMAGES),
    ),
    "a callback that is a function": (
        "callbacks",
        lambda: dfal.Training(classifier(), callbacks=[print]),
    ),
    "a callback that is not in a list": (
        "callbacks",
        lambda: dfal.Training(classifier(), callbacks=keras.callbacks.History()),
    ),
    "a callback for batches": (
        "callbacks",
        lambda: dfal.Training(
            classifier(), callbacks=[keras.callbacks.TerminateOnNaN()]
        ),
    ),
    "a seed as a bool": (
        "seed",
        lambda: train(IMAGES, LABELS, seed=True),
    ),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("initial", "pretrained"),
        ("initial", None),
        ("stratify", "yes"),
        ("stratify", None),
        ("class_weight", "even"),
        ("class_weight", [1, 2, 3]),
        ("class_weight", {0: -1}),
        ("verbose", 2),
        ("verbose", "auto"),
    ],
)
def test_a_bad_option_is_quoted(name, value):
    bad_calls.check_option_rejected(
        lambda **options: dfal.Training(classifier(), **options), name, value
    )


@bad_calls.each(CALLS)
def test_a_bad_call_is_rejected(named, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad_calls.check_rejected(re.escape(named), call, tmp_path)
