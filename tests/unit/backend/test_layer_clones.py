import random

import keras
import numpy as np
import pytest
from keras import layers

from dfal_keras.backend import keras_layers, layer_clones


def built(layer, *shape):
    layer(np.zeros((1, *shape), "float32"))
    return layer


def new_weights(layer, seed=0):
    found = layer_clones.new_weights(layer, layer, seed=seed)
    return [np.array(weight) for weight in found]


def test_weights_depend_on_the_seed_only():
    layer = built(layers.SeparableConv1D(4, 2), 5, 3)
    random.seed(1)
    first = new_weights(layer, seed=3)
    random.seed(2)
    for ours, again in zip(first, new_weights(layer, seed=3), strict=True):
        assert (ours == again).all()
    other = new_weights(layer, seed=4)
    assert not (first[0] == other[0]).any()
    assert not (first[1] == other[1]).any()
    assert (other[2] == 0).all()  # the bias


def test_pythons_generator_is_restored():
    layer = built(layers.SeparableConv1D(4, 2), 5, 3)
    random.seed(1)
    expected = random.random()
    random.seed(1)
    new_weights(layer)
    assert random.random() == expected


def test_seeds_of_initializers_are_ignored():
    """Or every restart would begin alike."""
    kernel = keras.initializers.HeNormal(seed=7)
    cell = layers.LSTMCell(4, kernel_initializer=kernel)
    layer = built(layers.RNN(cell), 5, 3)
    found = [
        layer_clones.new_weights(cell, layer, seed=seed)[0].numpy() for seed in (0, 1)
    ]
    assert not (found[0] == found[1]).any()


def test_the_container_of_a_cell_that_can_not_be_cloned_is_its_layer():
    layer = built(layers.ConvLSTM1D(4, 2), 5, 6, 3)
    own = keras_layers.own_variables(layer.cell)
    container = layer_clones.find_container(layer.cell, [layer, layer.cell])
    assert container is layer
    found = layer_clones.new_weights(layer.cell, container, seed=0)
    assert [tuple(a.shape) for a in found] == [tuple(b.shape) for b in own]


class NoConfig(layers.Layer):
    def __init__(self, size):
        super().__init__(name="odd_one")
        self.scale = self.add_weight(shape=(size,), name="scale")

    def call(self, inputs):
        return inputs * self.scale


class WrongConfig(NoConfig):
    def get_config(self):
        return {"size": 1}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (NoConfig(3), "'odd_one' of type NoConfig .*size"),
        (WrongConfig(3), r"of type WrongConfig .*shapes \[\(1,\)\], not \[\(3,\)\]"),
    ],
)
def test_a_layer_that_can_not_be_cloned_is_named(layer, reason):
    built(layer, 3)
    with pytest.raises(ValueError, match=rf"(?s)Received: the layer .*{reason}"):
        layer_clones.find_container(layer, [layer])
