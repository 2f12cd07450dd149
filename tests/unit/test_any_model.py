"""Every strategy with every kind of Keras classifier."""

import keras
import numpy as np
import pytest
from helpers.models import (
    Subclassed,
    SubclassedWithMethods,
    built,
    convolutional,
    with_normalization,
)
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


MODELS = {
    "softmax layer": lambda: convolutional(layers.Softmax()),
    "softmax activation": lambda: convolutional(layers.Activation("softmax")),
    "logits": convolutional,
    "single sigmoid": lambda: convolutional(
        layers.Activation("sigmoid"), num_outputs=1
    ),
    "single logit": lambda: convolutional(num_outputs=1),
    "functional": with_normalization,
    "nested": lambda: keras.Sequential(
        [keras.Input((4, 4, 1)), convolutional(), layers.Softmax()]
    ),
    "half precision": lambda: convolutional(dtype="mixed_float16"),
    "bfloat16": lambda: convolutional(dtype="mixed_bfloat16"),
    "double precision": lambda: convolutional(dtype="float64"),
    "subclassed with methods": lambda: built(SubclassedWithMethods()),
    "subclassed": lambda: built(Subclassed()),
}
REJECTED = {
    ("subclassed", "dfal"): "must return logits",
    ("subclassed", "egl"): "must return logits",
    ("subclassed", "bald"): "which can be cloned",
    ("subclassed with methods", "bald"): "which can be cloned",
    ("subclassed", "core_set"): "`features",
    ("subclassed", "diverse_dfal"): "must return logits",
    ("subclassed", "cost_effective_dfal"): "must return logits",
}


@pytest.mark.parametrize("name", MODELS)
def test_every_strategy(blobs, name):
    x, _ = blobs
    keras.utils.set_random_seed(0)  # with some weights DeepFool fails
    model = MODELS[name]()
    before = [np.array(weights) for weights in model.get_weights()]
    for strategy_name, strategy in STRATEGIES.items():
        message = REJECTED.get((name, strategy_name))
        if message:
            with pytest.raises(ValueError, match=message):
                strategy.query(model, x[:40], 5, x_labeled=x[40:50])
            continue
        rng = np.random.default_rng(0)
        query = strategy.query(model, x[:40], 5, x_labeled=x[40:50], rng=rng)
        assert len(set(query.indices.tolist())) == 5, strategy_name
        if query.scores is not None:
            assert np.isfinite(query.scores).all(), strategy_name
        if query.companions is not None:
            assert np.isfinite(query.companions).all()
    for ours, expected in zip(model.get_weights(), before, strict=True):
        assert (ours == expected).all()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32", "float64"])
def test_dtypes_of_images_do_not_matter(blobs, shared_train, dtype):
    model, x = shared_train.model, blobs[0][:40]
    for strategy in (STRATEGIES["dfal"], STRATEGIES["uncertainty"]):
        expected = strategy.query(model, x, 5)
        found = strategy.query(model, x.astype(dtype), 5)
        assert (found.indices == expected.indices).all()


@pytest.mark.parametrize(
    "name", ["functional", "nested", "half precision", "single sigmoid"]
)
def test_trains_and_queries(blobs, name):
    x, y = blobs
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    binary = model.outputs[0].shape[-1] == 1
    loss = "binary_crossentropy" if binary else "sparse_categorical_crossentropy"
    if name == "half precision":
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
