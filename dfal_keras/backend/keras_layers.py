"""Layers and variables of a Keras model at any depth.

Besides `keras_graph`, the only module that uses private attributes of Keras. The public
`Model.layers` omits layers inside wrappers and custom layers. The public
`Layer.variables` does not tell which layer, and so which initializer, a variable
belongs to.
"""

import keras


def flatten(model: keras.Model) -> list[keras.layers.Layer]:
    """Return a model and all of its layers, nested layers included."""
    return model._flatten_layers(include_self=True)  # noqa: SLF001


def own_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Return the weights of a layer, without those of nested layers."""
    return layer._trainable_variables + layer._non_trainable_variables  # noqa: SLF001


def seed_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the states of the seed generators of a model's random layers."""
    return [var for var in model.variables if var.name == "seed_generator_state"]
