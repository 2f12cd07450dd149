"""Inputs that are not images: tables, and integers such as tokens."""

import functools

import keras
import numpy as np
import pytest
from keras import layers

import dfal_keras as dfal

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 20, size=(80, 6))
TOKEN_LABELS = (TOKENS[:, 0] > 9).astype(int)
TABLE = RNG.normal(size=(80, 5)).astype("float32")
TABLE_LABELS = (TABLE[:, 0] > 0).astype(int)
STRATEGIES = [
    *("dfal", "bald", "ceal", "core_set", "egl", "uncertainty", "random"),
    *("diverse_dfal", "cost_effective_dfal"),
]


def token_model(dtype):
    return keras.Sequential(
        [
            keras.Input((6,), dtype=dtype),
            layers.Embedding(20, 4),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.2),
            layers.Dense(2, activation="softmax"),
        ]
    )


def table_model():
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(2),
        ]
    )


def training(model, from_logits=False):
    model.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    )
    return dfal.Training(model, num_restarts=1, epochs=2)


@functools.cache  # each new model is traced again
def table_training():
    return training(table_model(), from_logits=True)


@functools.cache
def token_training(dtype):
    return training(token_model(dtype))


def learner(train, strategy):
    return dfal.ActiveLearner(train, strategy, num_queries=5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_tables(strategy):
    rounds = learner(table_training(), strategy).fit(
        TABLE, TABLE_LABELS, budget=20, test_data=(TABLE, TABLE_LABELS)
    )
    assert [row.num_annotations for row in rounds] == [10, 15, 20]


@pytest.mark.parametrize("dtype", ["int32", None])
@pytest.mark.parametrize(
    "strategy", [name for name in STRATEGIES if "dfal" not in name]
)
def test_tokens(strategy, dtype):
    rounds = learner(token_training(dtype), strategy).fit(
        TOKENS, TOKEN_LABELS, budget=20
    )
    assert [row.num_annotations for row in rounds] == [10, 15, 20]


@pytest.mark.parametrize("dtype", ["int32", None])
def test_deepfool_refuses_tokens_before_anything_is_trained(dtype):
    train = training(token_model(dtype))
    model = train.model
    learning = learner(train, "dfal")
    before = model.get_weights()
    with pytest.raises(ValueError, match="must take real numbers.*'uncertainty'"):
        learning.rounds(TOKENS, TOKEN_LABELS, budget=20)
    for weights, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, old)
    with pytest.raises(ValueError, match="must take real numbers"):
        dfal.deepfool(model, TOKENS.astype("float32"))
    with pytest.raises(ValueError, match="must take real numbers"):
        dfal.strategies.DFAL().query(model, TOKENS, 5)


def test_stateful_models_are_refused():
    model = keras.Sequential(
        [
            keras.Input((6, 1), batch_size=5),
            layers.LSTM(3, stateful=True, name="memory"),
            layers.Dense(2),
        ]
    )
    with pytest.raises(ValueError, match=r"stateful.*'memory'"):
        dfal.strategies.Uncertainty().query(model, np.zeros((5, 6, 1)), 1)


class Unclonable(layers.Layer):
    """A layer with dropout whose constructor needs what its configuration lacks."""

    def __init__(self, rate):
        super().__init__(name="mine")
        self.noise = layers.Dropout(rate)

    def call(self, inputs):
        return self.noise(inputs)


def test_a_layer_of_noise_that_can_not_be_copied_is_named_by_bald():
    """Others, such as Python code in a model, are not copied."""

    def make(noise):
        double = layers.Lambda(lambda x: 2 * x)
        return keras.Sequential([keras.Input((5,)), double, noise, layers.Dense(2)])

    dfal.strategies.BALD().query(make(layers.Dropout(0.5)), TABLE, 5)
    with pytest.raises(ValueError, match="can be copied.*'mine'.*Unclonable"):
        dfal.strategies.BALD().query(make(Unclonable(0.5)), TABLE, 5)
