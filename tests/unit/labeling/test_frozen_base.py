"""A frozen base computes its features once, and the training stays the same."""

import keras
import numpy as np
import pytest
from keras import layers

from dfal_keras.labeling import few_labels, frozen_base, networks


def make(noise=0.0, is_frozen=True):
    """A network as `networks.build` makes them, with a base of one convolution."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    hidden = layers.Rescaling(1 / 255)(inputs)
    convolution = layers.Conv2D(6, 3, activation="relu", trainable=not is_frozen)
    hidden = layers.BatchNormalization(trainable=not is_frozen)(convolution(hidden))
    hidden = layers.Dropout(noise)(hidden)
    features = layers.GlobalAveragePooling2D()(hidden)
    dropped = layers.Dropout(0.2, name=frozen_base.HEAD_START)(features)
    model = keras.Model(inputs, layers.Dense(3, "softmax", name="head")(dropped))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    return model


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = rng.integers(0, 200, (60, 8, 8, 3)) // (1 + y[:, None, None, None])
    return x.astype("uint8"), y


def test_the_weights_are_those_of_a_training_of_the_whole_network(images):
    whole, fast = make(), make()
    options = {"num_restarts": 2, "epochs": 8}
    few_labels.training(whole, 60, **options)(*images, seed=3)
    before = whole.get_layer("head").get_weights()
    few_labels.fit(fast, *images, seed=3, **options)
    for one, other in zip(whole.get_weights(), fast.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(make().get_layer("head").get_weights()[0] - before[0]).max() > 0.1


def test_only_the_head_is_trained(images, monkeypatch):
    trained = []
    original = few_labels.Training

    def record(model, **options):
        trained.append(model)
        return original(model, **options)

    monkeypatch.setattr(few_labels, "Training", record)
    few_labels.fit(make(), *images, seed=0, num_restarts=1, epochs=1)
    (head,) = trained
    assert head.input_shape == (None, 6)
    assert [layer.name for layer in head.layers[1:]] == [frozen_base.HEAD_START, "head"]


@pytest.mark.parametrize(
    "make_model",
    [
        lambda: make(noise=0.3),
        lambda: make(is_frozen=False),
        lambda: keras.Sequential([keras.Input((4,)), layers.Dense(2, "softmax")]),
    ],
)
def test_features_that_change_are_not_kept(make_model):
    assert frozen_base.trained_head(make_model()) is None


def test_a_network_that_is_fine_tuned_is_trained_as_a_whole():
    model = make()
    networks.unfreeze(model, 1)
    assert frozen_base.trained_head(model) is None


def test_a_new_class_is_trained_in_the_head(images):
    wider = networks.widen(make(), 4)
    wider.compile("adam", "sparse_categorical_crossentropy")
    few_labels.fit(wider, *images, seed=0, num_restarts=1, epochs=2)
    assert frozen_base.trained_head(wider).outputs[0].shape == (None, 4)
    assert np.abs(wider.layers[-1].get_weights()[0][:, 3]).max() > 0
