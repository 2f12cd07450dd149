"""Layers whose noise represents uncertainty of the weights, such as dropout.

Stochastic depth, which drops residual branches, is such noise if it is Keras's
`Dropout` with a `noise_shape`, as in EfficientNet. Other classes for it, such as those
of ConvNeXt and of users, are inactive: Keras has no public one, and their random
numbers have no seeds that could be set.
"""

import keras

from dfal_keras import _validation
from dfal_keras.backend import keras_layers

_LAYERS = (
    keras.layers.AlphaDropout,
    keras.layers.Dropout,  # spatial dropout is a subclass
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)


def is_active(layer: keras.layers.Layer) -> bool:
    """Return whether a layer is noise, or has dropout inside, with a positive rate.

    Recurrent and attention layers may have dropout. Augmentation is not noise.
    """
    return any(
        getattr(each, name, 0) > 0
        for each in keras_layers.flatten(layer)
        for name in _rates(each)
    )


def _rates(layer):
    """Return the names of a layer's rates of noise."""
    if isinstance(layer, _LAYERS):
        return "rate", "stddev"
    if any(
        base.__module__.startswith("keras.src.layers.") and base is not keras.Layer
        for base in type(layer).__mro__
    ):
        is_number = isinstance(getattr(layer, "dropout", None), int | float)
        return ("dropout", "recurrent_dropout") if is_number else ()
    return ()


class Copy:
    """A copy of a layer with active noise, whose random seeds are its own.

    Args:
        call: A call of the layer in the graph of a model.

    Raises:
        ValueError: If the layer can't be copied, or has augmentation inside.
    """

    def __init__(self, call):
        layer = call.operation
        try:
            self.layer = type(layer).from_config(layer.get_config())
            # Build it as the original was built: by a symbolic call.
            inputs = [keras.KerasTensor(each.shape, each.dtype) for each in call.inputs]
            call._replace(operation=self.layer).repeat(inputs)
            self._pairs = [
                (variable, copy)
                for variable, copy in zip(
                    layer.weights, self.layer.weights, strict=True
                )
            ]
            self.update()
        except Exception as error:  # any, from a layer of the user
            raise _validation.ArgumentError(
                "model",
                "must have layers that can be copied, for Monte Carlo "
                f"dropout. Received: the layer {layer.name!r} of the type "
                f"{type(layer).__name__} ({str(error).strip().partition(chr(10))[0]})",
            ) from error
        self.seeds = keras_layers.seed_variables(self.layer)
        for each in keras_layers.flatten(self.layer):
            if _is_augmentation(each):
                raise _validation.ArgumentError(
                    "model",
                    "must not have augmentation and dropout inside "
                    f"the same layer. Received: the layer {layer.name!r} with "
                    f"{type(each).__name__}",
                )
            if isinstance(each, keras.layers.BatchNormalization):
                each.trainable = False  # in Keras, this means inference mode

    def update(self) -> None:
        """Copy the weights of the original."""
        for variable, copy in self._pairs:
            copy.assign(variable)


def _is_augmentation(layer):
    is_preprocessing = any(
        each.__module__.startswith("keras.src.layers.preprocessing")
        for each in type(layer).__mro__
    )
    return is_preprocessing and bool(keras_layers.seed_variables(layer))
