"""Layers and variables of a model, to detect that a user has changed it."""

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dfal_keras.backend import keras_layers


class Structure:
    """Layers and variables of a model, and the settings that its graphs depend on.

    Two structures are equal if they hold the same objects.

    Args:
        parts: The objects. They are kept alive, so that no other object gets the
            same id.
    """

    def __init__(self, parts: list[Any]):
        self._parts = parts

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Structure):
            return NotImplemented
        return len(self._parts) == len(other._parts) and all(
            a is b for a, b in zip(self._parts, other._parts, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]


def of(model) -> Structure:
    """Return the structure of a Keras model; that of a function has no parts."""
    if not isinstance(model, keras.Model):
        return Structure([])
    parts: list[Any] = [*(getattr(model, "outputs", None) or ())]
    for layer in keras_layers.flatten(model):
        if layer is not model:  # a reference would keep it alive
            parts.append(layer)
        parts += [*_constants(layer), layer.trainable]
        parts += keras_layers.own_variables(layer)
    parts += [variable.trainable for variable in model.weights]
    return Structure(parts)


def _constants(layer):
    """Return what a graph contains of a layer's attributes, besides variables.

    Numbers and names such as a rate, tensors such as the mean of `Normalization`, and
    activations. What Keras itself keeps in every model is not about its graph.
    """
    own = _of_every_model() if isinstance(layer, keras.Model) else _OF_EVERY_LAYER
    # By the exact type first: a query calls this several times, on all layers.
    return [
        value
        for name, value in vars(layer).items()
        if name[0] != "_"
        and name not in own
        and (
            type(value) in _PLAIN
            or name == "activation"
            or isinstance(value, tf.Tensor | np.generic)
        )
    ]


_PLAIN = frozenset((bool, int, float, str))
_OF_EVERY_LAYER = frozenset(("built", "name", "supports_masking", "autocast"))


@functools.cache
def _of_every_model():
    """Return the names of attributes that every model has."""
    inputs = keras.Input((1,), name="inputs")  # names keep the counters of Keras
    # Not `inputs` themselves: Keras 3.12 refuses a model without a layer.
    outputs = keras.layers.Identity(name="identity")(inputs)
    model = keras.Model(inputs, outputs, name="model")
    model.compile()
    # These are set by the first `fit`, `evaluate` and `predict`.
    stops = ("stop_training", "stop_evaluating", "stop_predicting")
    return {*vars(model), *stops}
