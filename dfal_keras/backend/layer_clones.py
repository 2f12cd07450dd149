"""New weights for single layers from clones, by a seed and without global state."""

import contextlib
import random
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from dfal_keras import _validation
from dfal_keras.backend import keras_layers


def new_weights(
    layer: keras.layers.Layer, container: keras.layers.Layer, *, seed: int
) -> list[keras.Variable]:
    """Return the weights that a layer has in a clone of its container.

    Only Keras's initializers depend on `seed`. It replaces the seeds that the
    initializers were given.

    Args:
        layer: A built layer.
        container: The layer, or one that contains it, as `find_container` returns.
        seed: Non-negative integer.
    """
    clone = _clone(container, seed)
    is_layer = [each is layer for each in keras_layers.flatten(container)]
    return keras_layers.own_variables(keras_layers.flatten(clone)[is_layer.index(True)])


def find_container(
    layer: keras.layers.Layer, layers: Sequence[keras.layers.Layer]
) -> keras.layers.Layer:
    """Return a layer itself, or the innermost layer around it that can be cloned.

    Cells of recurrent layers, for example, may be cloned only with the layer.

    Args:
        layer: A built layer.
        layers: All layers of the model.

    Raises:
        ValueError: If no such layer can be cloned.
    """
    around = [
        each
        for each in layers
        if any(inner is layer for inner in keras_layers.flatten(each))
    ]
    around.sort(key=lambda each: len(keras_layers.flatten(each)))
    reasons = []
    for container in around:
        try:
            found = _shapes(new_weights(layer, container, seed=0))
        except Exception as error:  # any, from the constructor of a user's layer
            text = str(error).strip().split("\n")[0]
            reasons.append(f"{type(error).__name__}: {text}")
            continue
        expected = _shapes(keras_layers.own_variables(layer))
        if found == expected:
            return container
        reasons.append(f"its clone has weights of shapes {found}, not {expected}")
    raise _validation.ArgumentError(
        "model",
        "must have layers that name the initializer of each trainable "
        "weight, such as `kernel_initializer` for `kernel`, or that can be cloned by "
        '`get_config`, `from_config` and `build`. With initial="keep", no weight is '
        f"drawn. Received: the layer {layer.name!r} of type {type(layer).__name__} "
        f"({reasons[0]})",
    )


def _clone(layer, seed):
    with _seeded(seed):
        clone = type(layer).from_config(_without_seeds(layer.get_config()))
        clone.build_from_config(layer.get_build_config())
    return clone


def _shapes(variables):
    return [tuple(variable.shape) for variable in variables]


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed Python's generator, from which Keras draws default seeds; then restore it.

    Seeds in the configuration would not work: layers such as `MultiHeadAttention` copy
    their initializers, and copies with equal seeds draw equal weights.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


def _without_seeds(config: Any, *, of_initializer: bool = False) -> Any:
    """Return a layer's configuration without the seeds of initializers."""
    if isinstance(config, (list, tuple)):
        return type(config)(_without_seeds(each) for each in config)
    if not isinstance(config, dict):
        return config
    new = {
        key: _without_seeds(
            value, of_initializer=of_initializer or str(key).endswith("initializer")
        )
        for key, value in config.items()
    }
    if of_initializer and "seed" in new:
        new["seed"] = None
    return new
