"""Predictions by batch."""

import tracemalloc

import keras
import numpy as np
import pytest

import dfal_keras as dfal
from dfal_keras.backend import inference
from dfal_keras.strategies.uncertainty import entropy

IMAGES = np.random.default_rng(0).normal(size=(50, 6)).astype("float32")


class Opaque(keras.Model):
    """Softmax outputs whose logits are not accessible."""

    def __init__(self, temperature=1.0):
        super().__init__()
        self.dense = keras.layers.Dense(4, kernel_initializer="glorot_normal")
        self.temperature = temperature

    def call(self, inputs):
        return keras.ops.softmax(self.dense(inputs) / self.temperature)


class HalfSoftmax(Opaque):
    """Probabilities for inputs with a positive first entry, else logits."""

    def call(self, inputs):
        return keras.ops.where(
            inputs[:, :1] > 0, super().call(inputs), self.dense(inputs)
        )


def dense(activation):
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, activation=activation)]
    )


@pytest.mark.parametrize("batch_size", [1, 7, 50, 1000])
@pytest.mark.parametrize(
    "make", [lambda: dense(None), lambda: dense("softmax"), Opaque]
)
def test_functions_of_batches_equal_the_function_of_all(make, batch_size):
    model = make()
    model(IMAGES[:1])
    expected = entropy(inference.predict_probabilities(model, IMAGES, batch_size=50))
    got = inference.map_probabilities(entropy, model, IMAGES, batch_size=batch_size)
    # The sizes of matrix products may change the last bits of logits.
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    if batch_size >= 50:
        np.testing.assert_array_equal(got, expected)


def test_errors_name_the_sample_among_all():
    model, x = dense(None), IMAGES.copy()
    x[33] = np.nan
    with pytest.raises(ValueError, match="sample 33 of 50"):
        inference.map_probabilities(entropy, model, x, batch_size=8)


def test_outputs_of_two_kinds_are_refused():
    model, x = HalfSoftmax(), np.abs(IMAGES)
    x[20:, 0] *= -1
    with pytest.raises(ValueError, match="both, before and from sample 20"):
        inference.map_probabilities(entropy, model, x, batch_size=10)


@pytest.mark.parametrize("name", ["uncertainty", "ceal"])
def test_queries_do_not_keep_the_probabilities_of_the_pool(name):
    num_samples, num_classes = 4000, 500
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(num_classes)])
    x = np.random.default_rng(0).normal(size=(num_samples, 6)).astype("float32")
    strategy = dfal.strategies.get(name, batch_size=100)
    strategy.query(model, x[:100], 10)  # traces
    tracemalloc.start()
    try:
        strategy.query(model, x, 10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < num_samples * num_classes * 4 / 4
