"""Initial weights for a built model, without building it again."""

import keras
import numpy as np

from dfal_keras import _validation
from dfal_keras.backend import keras_layers, layer_clones, structure


class Initializer:
    """Set the initial weights of a model, in place.

    Each variable of a trainable layer is drawn from the layer's own initializer
    (`kernel_initializer` for `kernel`, and so on). A layer that has another name for
    the initializer of a trainable weight, or creates it in `build`, takes all weights
    from a new clone of the layer instead. Other variables, such as the statistics of a
    `Normalization` layer, and all variables of frozen layers return to their values at
    construction. The optimizer returns to the state of a new optimizer with the same
    configuration. Random layers, such as dropout, get new seeds.

    Args:
        model: A built and compiled Keras model.
        keep: Whether all variables of layers return to their values at construction.
            Defaults to `False`.

    Raises:
        ValueError: If a layer must be cloned and can't be, or the optimizer was made
            for other weights.
    """

    def __init__(self, model: keras.Model, *, keep: bool = False):
        self._model = model
        self._drawn: list[tuple] = []
        self._cloned: list[tuple] = []
        restored = []
        layers = keras_layers.flatten(model)
        for layer in layers:
            variables = keras_layers.own_variables(layer)
            if keep or not layer.trainable:
                restored += variables
            elif _names_its_initializers(layer, variables):
                for variable in variables:
                    initializer = _initializer(layer, variable)
                    if initializer is None:
                        restored.append(variable)
                    else:
                        self._drawn.append((variable, initializer))
            else:
                container = layer_clones.find_container(layer, layers)
                self._cloned.append((layer, variables, container))
        self._compiled, self._structure = _compiled(model), structure.of(model)
        self._seeds = keras_layers.seed_variables(model)
        self._values = [(variable, variable.numpy()) for variable in restored]
        self._values += _optimizer_values(model)

    def __call__(self, rng: np.random.Generator) -> None:
        """Set initial weights.

        Args:
            rng: Source of the seeds of initializers and random layers.

        Raises:
            ValueError: If the model was compiled again, or has other trainable weights
                than at construction.
        """
        self._check_unchanged()
        for variable, initializer in self._drawn:
            variable.assign(_reseeded(initializer, rng)(variable.shape, variable.dtype))
        for layer, variables, container in self._cloned:
            seed = int(rng.integers(2**31))
            weights = layer_clones.new_weights(layer, container, seed=seed)
            for variable, weight in zip(variables, weights, strict=True):
                variable.assign(weight)
        for variable, value in self._values:
            variable.assign(value)
        for variable in self._seeds:
            variable.assign(rng.integers(2**31, size=2, dtype=np.uint32))
        self._model.reset_metrics()

    def _check_unchanged(self):
        """Raise ValueError if the model is compiled again, or has other layers."""
        if (
            _compiled(self._model) != self._compiled
            or structure.of(self._model) != self._structure
        ):
            raise _validation.ArgumentError(
                "model",
                "must not be compiled again, nor have layers or "
                "`trainable` changed, after it is given to `Training`. Compile it, "
                "then make a new `Training`. "
                f"Received: the model {self._model.name!r}, which changed",
            )


def _compiled(model):
    """Return what another call of `compile` replaces."""
    loss_tracker = model.metrics[:1]
    return structure.Structure([model.optimizer, model.loss, *loss_tracker])


def _names_its_initializers(layer, variables):
    """Return whether a layer draws its trainable weights by initializers it names."""
    # `EinsumDense` names one, but builds with a copy that knows the equation's axes.
    return not isinstance(layer, keras.layers.EinsumDense) and all(
        _initializer(layer, variable) is not None
        for variable in variables
        if variable.trainable
    )


def _initializer(layer, variable):
    """Return the initializer that a layer names for a variable, or `None`."""
    return getattr(layer, f"{variable.name}_initializer", None)


def _optimizer_values(model):
    """Return the optimizer's variables with their values in a new optimizer.

    The optimizer may have been used, so its own values are not the initial ones.
    """
    optimizer = model.optimizer
    new = type(optimizer).from_config(optimizer.get_config())
    for each in (optimizer, new):
        if not each.built:
            each.build(model.trainable_variables)
    used, fresh = optimizer.variables, new.variables
    if [variable.shape for variable in used] != [variable.shape for variable in fresh]:
        raise _validation.ArgumentError(
            "model",
            "must be compiled with a new optimizer after `trainable` "
            f"has changed. Received: the model {model.name!r}, whose optimizer was "
            "built for other weights",
        )
    return [(a, b.numpy()) for a, b in zip(used, fresh, strict=True)]


def _reseeded(initializer, rng):
    """Return a copy of a Keras initializer with a new seed; return others unchanged."""
    if not isinstance(initializer, keras.initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if "seed" in config:
        config["seed"] = int(rng.integers(2**31))
    return type(initializer).from_config(config)
