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
    dfal.strategies.DFAL().query(model, blobs[0][:20], 2)
    assert structure.of(model) == before


def test_nothing_is_traced_again_for_the_same_model(model, blobs, traced_functions):
    for _ in range(2):
        for strategy in (dfal.strategies.DFAL(), dfal.strategies.BALD()):
            strategy.query(model, blobs[0][:20], 2)
        num_traced = len(traced_functions)
    assert num_traced == 3  # predictions, a step of DeepFool, passes
