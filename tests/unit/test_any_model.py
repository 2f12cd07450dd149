"""Types of images, and trainings in a loop, with several kinds of classifiers."""

import keras
import numpy as np
import pytest
from helpers.model_table import TABLE
from keras import layers

import dfal_keras as dfal

STRATEGIES = {
    "dfal": dfal.strategies.DFAL(),
    "bald": dfal.strategies.BALD(num_samples=3),
    "ceal": dfal.strategies.CEAL(threshold=0.1),
    "core_set": dfal.strategies.CoreSet(method="greedy"),
    "egl": dfal.strategies.EGL(),
    "uncertainty": dfal.strategies.Uncertainty(),
    "random": dfal.strategies.Random(),
    "diverse_dfal": dfal.strategies.DiverseDFAL(),
    "cost_effective_dfal": dfal.strategies.CostEffectiveDFAL(),
}


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
def test_dtypes_of_images_do_not_matter(blobs, shared_train, dtype):
    model, x = shared_train.model, blobs[0][:40]
    for strategy in (STRATEGIES["dfal"], STRATEGIES["uncertainty"]):
        expected = strategy.query(model, x, 5)
        found = strategy.query(model, x.astype(dtype), 5)
        assert (found.indices == expected.indices).all()


@pytest.mark.parametrize(
    "name",
    [
        "sigmoid: keras.ops",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("augmentation", "nested logits, softmax layer", "float16")
        ),
    ],
)
def test_trains_and_queries(blobs, name):
    x, y = blobs
    keras.utils.set_random_seed(0)
    entry = TABLE[name]
    model = entry.make()
    binary = entry.outputs == "sigmoid"
    loss = "binary_crossentropy" if binary else "sparse_categorical_crossentropy"
    if entry.outputs == "logits":
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    train = dfal.Training(model, num_restarts=1, epochs=2)
    learner = dfal.ActiveLearner(train, "dfal", num_queries=5)
    history = learner.fit(
        x, y % 2 if binary else y, budget=20, test_data=(x, y % 2 if binary else y)
    )
    assert [finished.num_labeled for finished in history] == [10, 20, 30]
    assert all(np.isfinite(finished.loss) for finished in history)


def test_an_extra_axis_of_outputs_is_rejected(blobs):
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(3, 2)])
    for strategy_name, strategy in STRATEGIES.items():
        if strategy_name not in ("random", "core_set"):
            with pytest.raises(ValueError, match=r"`model`.*Received: "):
                strategy.query(model, blobs[0][:40], 5)
