"""TensorFlow functions that are traced once per model and freed with it."""

import functools
import inspect
import weakref
from collections.abc import Callable

import tensorflow as tf

from dfal_keras.backend import structure

_CACHE: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def cached_per_model(build: Callable) -> Callable:
    """Cache the values of `build(model, *options)` for as long as the model lives.

    An active learner queries the same model object in every round, with its weights
    changed in place, so functions of a model are traced once only. They are built again
    after the model's layers, variables or `trainable` flags have changed. What `build`
    returns must not hold a reference to the model, or neither is ever freed.

    Args:
        build: A function of a model and hashable options.

    Returns:
        The cached function.
    """

    @functools.wraps(build)
    def cached(model, *options):
        # Each access to a bound method makes a new object: key by its owner.
        is_method = inspect.ismethod(model)
        owner, method = (model.__self__, model.__func__) if is_method else (model, None)
        found = structure.of(owner)
        known, values = _CACHE.get(owner, (None, {}))
        if known != found:
            values = {}
            _CACHE[owner] = found, values
        key = (build, method, *options)
        if key not in values:
            values[key] = build(model, *options)
        return values[key]

    return cached


def traced(function: Callable, *signature: tuple) -> Callable:
    """Make a `tf.function` that is traced once, for any batch size.

    Args:
        function: A Python function of tensors.
        *signature: One `(shape, dtype)` per argument. Shapes exclude the batch axis.

    Returns:
        A `tf.function` with one input signature.
    """
    specs = [tf.TensorSpec((None, *shape), dtype) for shape, dtype in signature]
    return tf.function(function, input_signature=specs, autograph=False)
