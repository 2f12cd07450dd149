"""Layers and variables of a model, to detect that a user has changed it."""

from typing import Any

import keras

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


_SETTINGS = ("activation", "rate", "dropout", "recurrent_dropout")


def of(model) -> Structure:
    """Return the structure of a Keras model; that of a function has no parts."""
    if not isinstance(model, keras.Model):
        return Structure([])
    parts: list[Any] = [*(getattr(model, "outputs", None) or ())]
    for layer in keras_layers.flatten(model):
        if layer is not model:  # a reference would keep it alive
            parts += [layer, *(getattr(layer, name, None) for name in _SETTINGS)]
        parts += [layer.trainable, *keras_layers.own_variables(layer)]
    parts += [variable.trainable for variable in model.weights]
    return Structure(parts)
