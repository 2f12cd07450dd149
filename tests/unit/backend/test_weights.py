"""Models with NaN or infinity in their weights."""

import keras
import numpy as np
import pytest
from helpers import models
from keras import layers

import dfal_keras as dfal
from dfal_keras.backend import weights


class Masked(layers.Layer):
    """Adds negative infinity, which is not trained, to the last of its inputs."""

    def build(self, input_shape):
        mask = np.zeros(input_shape[-1], "float32")
        mask[-1] = -np.inf
        self.mask = self.add_weight(
            shape=mask.shape,
            initializer=lambda shape, dtype: keras.ops.convert_to_tensor(mask),
            trainable=False,
        )

    def call(self, inputs):
        return inputs + self.mask


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "bfloat16"])
def test_the_weight_is_named(value, dtype):
    model = models.convolutional(layers.Dense(3, name="last", dtype=dtype))
    kernel, bias = model.get_layer("last").get_weights()
    kernel[1, 2] = value
    weights.check_finite(model)
    model.get_layer("last").set_weights([kernel, bias])
    with pytest.raises(ValueError, match="`model` must have finite.*'.*last/kernel'"):
        weights.check_finite(model)


def test_nan_in_statistics_of_a_frozen_nested_model():
    base = keras.Sequential([keras.Input((4,)), layers.BatchNormalization()])
    base.trainable = False
    model = keras.Sequential([keras.Input((4,)), base, layers.Dense(3)])
    gamma, beta, mean, _ = base.get_weights()
    base.set_weights([gamma, beta, mean, np.full(4, np.nan)])
    with pytest.raises(ValueError, match="moving_variance"):
        weights.check_finite(model)


def test_a_mask_may_be_infinite():
    model = keras.Sequential(
        [keras.Input((4,)), Masked(), layers.Softmax(), layers.Dense(3)]
    )
    weights.check_finite(model)
    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    query = dfal.strategies.Uncertainty().query(model, x, 3)
    assert np.isfinite(query.scores).all()


def test_states_of_random_layers_and_functions_pass():
    model = models.dense(dropout=0.5)
    assert any(not keras.backend.is_float_dtype(v.dtype) for v in model.variables)
    weights.check_finite(model)
    weights.check_finite(lambda images: images)
