"""Bringing a built model back to fresh random weights, without building it again."""

import keras
import numpy as np


class Initializer:
    """Draw new initial weights for a model, in place.

    Every variable of a trainable layer is drawn anew from the layer's own initializer
    (`kernel_initializer` for `kernel`, and so on). Whatever has none and is not
    trained, such as the statistics of a `Normalization` layer, and whatever belongs to
    a frozen layer, goes back to its value at construction. The optimizer's state is
    that of a new one of the same settings. Random layers, such as dropout, get a new
    seed.

    Args:
        model: A built and compiled Keras model.

    Raises:
        ValueError: If a trainable weight has no initializer.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._drawn, self._kept = [], []
        for layer in model._flatten_layers(include_self=True):
            for variable in layer._trainable_variables + layer._non_trainable_variables:
                initializer = getattr(layer, f"{variable.name}_initializer", None)
                if initializer is not None and layer.trainable:
                    self._drawn.append((variable, initializer))
                elif variable.trainable and layer.trainable:
                    raise ValueError(
                        "Argument `model` must have layers that name their "
                        f"initializers. Received: the weight {variable.path!r}, whose "
                        f"layer {layer.name!r} of type {type(layer).__name__} has no "
                        f"attribute {variable.name}_initializer"
                    )
                else:
                    self._kept.append((variable, variable.numpy()))
        weights = {id(variable) for variable in model.weights}
        self._seeds = [
            variable
            for variable in model.variables
            if id(variable) not in weights and variable.name == "seed_generator_state"
        ]
        # The optimizer may have been used: what it begins with is seen on a new one.
        optimizer = model.optimizer
        new = type(optimizer).from_config(optimizer.get_config())
        for one in (optimizer, new):
            if not one.built:
                one.build(model.trainable_variables)
        pairs = zip(optimizer.variables, new.variables, strict=True)
        self._kept += [(variable, fresh.numpy()) for variable, fresh in pairs]

    def __call__(self, rng: np.random.Generator) -> None:
        """Give the model fresh weights, drawn from `rng`."""
        for variable, initializer in self._drawn:
            variable.assign(_reseeded(initializer, rng)(variable.shape, variable.dtype))
        for variable, value in self._kept:
            variable.assign(value)
        for variable in self._seeds:
            variable.assign(rng.integers(2**31, size=2, dtype=np.uint32))
        self._model.reset_metrics()


def _reseeded(initializer, rng):
    """A copy of a Keras initializer with a seed from `rng`; others are left alone."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if "seed" in config:
        config["seed"] = int(rng.integers(2**31))
    return type(initializer).from_config(config)
