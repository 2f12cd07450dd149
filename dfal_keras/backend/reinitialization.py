"""New initial weights for a built model, without building it again."""

import keras
import numpy as np

from dfal_keras.backend import keras_layers


class Initializer:
    """Draw new initial weights for a model, in place.

    Each variable of a trainable layer is drawn from the layer's own initializer
    (`kernel_initializer` for `kernel`, and so on). Non-trainable variables without an
    initializer, such as the statistics of a `Normalization` layer, and all variables
    of frozen layers return to their values at construction. The optimizer returns to
    the state of a new optimizer with the same configuration. Random layers, such as
    dropout, get new seeds.

    Args:
        model: A built and compiled Keras model.

    Raises:
        ValueError: If a trainable weight has no initializer.
    """

    def __init__(self, model: keras.Model):
        self._model = model
        self._drawn, self._restored = [], []
        for layer in keras_layers.flatten(model):
            for variable in keras_layers.own_variables(layer):
                initializer = getattr(layer, f"{variable.name}_initializer", None)
                if initializer is not None and layer.trainable:
                    self._drawn.append((variable, initializer))
                elif variable.trainable and layer.trainable:
                    raise ValueError(
                        "Argument `model` must have an initializer for each trainable "
                        f"weight. Received: the weight {variable.path!r}, whose layer "
                        f"{layer.name!r} of type {type(layer).__name__} has no "
                        f"attribute {variable.name}_initializer"
                    )
                else:
                    self._restored.append((variable, variable.numpy()))
        self._seeds = keras_layers.seed_variables(model)
        # The optimizer may have been used, so its initial state is a new one's.
        optimizer = model.optimizer
        new = type(optimizer).from_config(optimizer.get_config())
        for each in (optimizer, new):
            if not each.built:
                each.build(model.trainable_variables)
        pairs = zip(optimizer.variables, new.variables, strict=True)
        self._restored += [(variable, initial.numpy()) for variable, initial in pairs]

    def __call__(self, rng: np.random.Generator) -> None:
        """Set new initial weights.

        Args:
            rng: Source of the seeds of initializers and random layers.
        """
        for variable, initializer in self._drawn:
            variable.assign(_reseeded(initializer, rng)(variable.shape, variable.dtype))
        for variable, value in self._restored:
            variable.assign(value)
        for variable in self._seeds:
            variable.assign(rng.integers(2**31, size=2, dtype=np.uint32))
        self._model.reset_metrics()


def _reseeded(initializer, rng):
    """Return a copy of a Keras initializer with a new seed; return others unchanged."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if "seed" in config:
        config["seed"] = int(rng.integers(2**31))
    return type(initializer).from_config(config)
