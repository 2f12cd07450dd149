import keras
import pytest
from helpers import models
from keras import layers

import dfal_keras as dfal
from dfal_keras.backend import memory


def test_small_models_get_the_maximum():
    model = dfal.models.LeNet5()
    assert memory.batch_size(model, (28, 28, 1), maximum=1024) == 1024
    for memory_per_image in ({"num_gradients": 9}, {"num_copies": 10}):
        options = {"maximum": 128, **memory_per_image}
        assert memory.batch_size(model, (28, 28, 1), **options) == 128


def test_a_known_model():
    """Two layers of 1 MB an image: a forward pass holds both, twice."""
    model = keras.Sequential(
        [keras.Input((512, 512, 1)), layers.Activation("relu"), layers.Flatten()]
    )
    choose = lambda **options: memory.batch_size(model, (512, 512, 1), **options)  # noqa: E731
    assert choose(maximum=10**6) == 1024 // (2 * 2)
    assert choose(maximum=10) == 10
    assert choose(maximum=10**6, num_copies=4) == 1024 // (2 * 2 * 4)
    # A backward pass holds the input and both layers, and each gradient twice.
    assert choose(maximum=10**6, num_gradients=3) == 1024 // (3 + 2 * 3)


def test_layers_of_nested_models_count():
    inner = keras.Sequential(
        [keras.Input((64, 64, 3)), layers.Conv2D(512, 3), layers.GlobalMaxPooling2D()]
    )
    outer = keras.Sequential([keras.Input((64, 64, 3)), inner, layers.Dense(10)])
    options = {"maximum": 10**6, "num_gradients": 9}
    flat = memory.batch_size(inner, (64, 64, 3), **options)
    assert memory.batch_size(outer, (64, 64, 3), **options) == pytest.approx(
        flat, rel=0.01
    )


@pytest.mark.parametrize("model", [lambda x: x, models.Subclassed()])
def test_models_of_unknown_layers(model):
    assert memory.batch_size(model, (28, 28, 1), maximum=128) == 128
    assert 1 <= memory.batch_size(model, (1024, 1024, 3), maximum=128) < 3


def test_at_least_one_image():
    assert memory.batch_size(lambda x: x, (10**5, 10**5, 3), maximum=128) == 1
