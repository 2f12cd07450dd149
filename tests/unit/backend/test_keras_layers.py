"""The private attributes of Keras that are used, in one place."""

import collections
import pathlib

import keras
import pytest

import dfal_keras
from dfal_keras.backend import keras_layers

ROOT = pathlib.Path(dfal_keras.__file__).parent


class Holder(keras.layers.Layer):
    """A layer with a weight of its own, and layers in a list and a dict."""

    def __init__(self, **options):
        super().__init__(**options)
        self.blocks = [keras.layers.Dense(4, name="in_list")]
        self.named = {"a": keras.layers.Dropout(0.1, name="in_dict")}

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(4,), name="scale", initializer="ones")
        self.blocks[0].build(input_shape)

    def call(self, inputs):
        return self.named["a"](self.blocks[0](inputs)) * self.scale


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.hidden = Holder(name="hidden")
        self.head = keras.Sequential([keras.layers.Dense(2, name="top")], name="head")

    def call(self, inputs):
        return self.head(self.hidden(inputs))


def sequence_model():
    inputs = keras.Input((6, 4))
    lstm = keras.layers.LSTM(3, return_sequences=True, name="lstm")
    x = keras.layers.Bidirectional(lstm, name="both")(inputs)
    x = keras.layers.TimeDistributed(keras.layers.Dense(4, name="dense"))(x)
    x = keras.layers.MultiHeadAttention(2, 2, dropout=0.1, name="attention")(x, x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(inputs, keras.layers.Flatten()(x), name="sequence")


def nested_model():
    shared = keras.layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), shared, Holder(name="holder")])
    inputs = keras.Input((4,))
    return keras.Model(inputs, shared(inner(inputs)))


def subclassed_model():
    model = Subclassed()
    model(keras.ops.ones((1, 4)))
    return model


MODELS = {
    "sequence": (sequence_model, {"forward_lstm", "lstm_cell", "dense", "query"}, 3),
    "nested": (nested_model, {"shared", "holder", "in_list", "in_dict"}, 1),
    "subclassed": (subclassed_model, {"hidden", "in_list", "in_dict", "top"}, 1),
}


@pytest.mark.parametrize("name", MODELS)
def test_layers_at_any_depth(name):
    make, expected, _ = MODELS[name]
    model = make()
    layers = keras_layers.flatten(model)
    assert layers[0] is model
    assert expected <= {layer.name for layer in layers}
    assert len({id(layer) for layer in layers}) == len(layers)


@pytest.mark.parametrize("name", MODELS)
def test_each_weight_belongs_to_one_layer(name):
    """As the paths of the weights say, which end with the names of layer and weight."""
    model = MODELS[name][0]()
    owners = collections.Counter()
    for layer in keras_layers.flatten(model):
        for variable in keras_layers.own_variables(layer):
            owners[id(variable)] += 1
            assert variable.path.split("/")[-2] == layer.name
    seeds = {id(variable) for variable in keras_layers.seed_variables(model)}
    weights = {id(variable) for variable in model.variables} - seeds
    assert {key for key in owners if key not in seeds} == weights
    assert set(owners.values()) == {1}


@pytest.mark.parametrize("name", MODELS)
def test_seeds_of_random_layers(name):
    make, _, num_seeds = MODELS[name]
    model = make()
    seeds = keras_layers.seed_variables(model)
    assert len(seeds) == num_seeds
    assert not {id(seed) for seed in seeds} & {id(weight) for weight in model.weights}


def test_no_other_module_uses_private_attributes_of_other_packages():
    """Ruff reports them (SLF) wherever no comment allows them."""
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "noqa: SLF" in path.read_text()
    }
    assert modules == {"backend/keras_graph.py", "backend/keras_layers.py"}
