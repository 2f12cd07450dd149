"""Graphs are traced again after a user has changed the model."""

import keras
import numpy as np
import pytest
from helpers import models
from keras import layers

import dfal_keras as dfal
from dfal_keras.backend import inference, structure


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return models.dense()


def replace_last(model):
    model.pop()
    model.add(layers.Dense(7, "softmax"))


def enable_lora(model):
    layer = model.layers[-1]
    layer.enable_lora(2)
    change = np.random.default_rng(0).normal(size=layer.lora_kernel_b.shape)
    layer.lora_kernel_b.assign(change)


def append(model):
    model.add(layers.Dense(3, "softmax"))


def set_activation(model):
    model.layers[-1].activation = keras.activations.linear


CHANGES = [replace_last, enable_lora, append, set_activation]


@pytest.mark.parametrize("change", CHANGES)
def test_predictions_are_those_of_the_changed_model(model, blobs, change):
    x = blobs[0][:40]
    before = inference.predict_probabilities(model, x)
    passes = dfal.strategies.BALD().query(model, x, 40).scores
    change(model)
    expected = model.predict(x, verbose=0)
    if change is set_activation:
        expected = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    found = inference.predict_probabilities(model, x)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    if change is not set_activation:  # which changes no probability
        assert before.shape != found.shape or np.abs(before - found).max() > 1e-3
    bald = dfal.strategies.BALD()
    scores = bald.query(model, x, 40, rng=np.random.default_rng(0)).scores
    assert passes.shape == scores.shape


class Temperature(layers.Layer):
    """Divides by a plain number."""

    temperature = 1.0

    def call(self, inputs):
        return inputs / self.temperature


class Cools(keras.Model):
    """A subclassed model with a plain number."""

    def __init__(self):
        super().__init__()
        self.flatten, self.dense = layers.Flatten(), layers.Dense(3)
        self.temperature = 1.0

    def call(self, inputs):
        return keras.ops.softmax(self.dense(self.flatten(inputs)) / self.temperature)


def adapt(model, images):
    model.layers[0].adapt(images[::2] / 3.0)


def set_number(position, name, value):
    return lambda model, images: setattr(model.layers[position], name, value)


@pytest.mark.parametrize(
    "change",
    [
        adapt,
        set_number(1, "scale", 5.0),
        set_number(1, "offset", 2.0),
        set_number(4, "temperature", 0.1),
    ],
)
def test_numbers_in_a_graph_are_those_of_now(blobs, change):
    keras.utils.set_random_seed(0)
    images = blobs[0][:40].astype("float32")
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Normalization(axis=None),
            layers.Rescaling(0.5, offset=0.1),
            layers.Flatten(),
            layers.Dense(3),
            Temperature(),
            layers.Softmax(),
        ]
    )
    model.layers[0].adapt(images)
    before = inference.predict_probabilities(model, images)
    change(model, images)
    found = inference.predict_probabilities(model, images)
    expected = model(images, training=False).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - before).max() > 1e-3


def test_numbers_of_a_subclassed_model_are_those_of_now(blobs):
    images = blobs[0][:40].astype("float32") / 255
    model = models.built(Cools())
    before = inference.predict_probabilities(model, images)
    model.temperature = 0.1
    found = inference.predict_probabilities(model, images)
    np.testing.assert_allclose(found, model(images).numpy(), atol=1e-5)
    assert np.abs(found - before).max() > 1e-3


def test_the_rate_of_noise_is_that_of_now(blobs):
    images, scores = blobs[0][:40], {}
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Flatten(),
            layers.GaussianNoise(1e-6),
            layers.Dense(3, "softmax"),
        ]
    )
    bald = dfal.strategies.BALD()
    for stddev in (1e-6, 0.5):
        model.layers[1].stddev = stddev
        found = bald.query(model, images / 255, 40, rng=np.random.default_rng(0))
        scores[stddev] = found.scores.mean()
    assert scores[0.5] > 10 * scores[1e-6]


def test_gradients_are_those_of_the_weights_that_are_trainable_now(model, blobs):
    x, strategy = blobs[0][:10], dfal.strategies.EGL()

    def lengths():
        query = strategy.query(model, x, 10)
        return query.scores[np.argsort(query.indices)]

    before = lengths()
    model.layers[2].trainable = False
    frozen = lengths()
    assert (frozen < before).all()
    model.layers[2].trainable = True
    np.testing.assert_array_equal(lengths(), before)


def test_training_changes_no_structure(model, blobs):
    before = structure.of(model)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*blobs, verbose=0)
    model.evaluate(*blobs, verbose=0)
    model.predict(blobs[0], verbose=0)
    dfal.strategies.DFAL().query(model, blobs[0][:20], 2)
    assert structure.of(model) == before


def test_nothing_is_traced_again_for_the_same_model(model, blobs, traced_functions):
    for _ in range(2):
        for strategy in (dfal.strategies.DFAL(), dfal.strategies.BALD()):
            strategy.query(model, blobs[0][:20], 2)
        num_traced = len(traced_functions)
    assert num_traced == 3  # predictions, a step of DeepFool, passes


def test_a_query_looks_at_the_layers_as_often_for_any_number_of_batches(
    tiny_model, blobs, monkeypatch
):
    looks, look = [], structure.of

    def counting(model):
        looks.append(model)
        return look(model)

    monkeypatch.setattr(structure, "of", counting)
    counts = []
    for batch_size in (100, 100, 10):
        looks.clear()
        strategy = dfal.strategies.Uncertainty(batch_size=batch_size)
        strategy.query(tiny_model, blobs[0], 5)
        counts.append(len(looks))
    assert 0 < counts[2] == counts[1] <= counts[0]
