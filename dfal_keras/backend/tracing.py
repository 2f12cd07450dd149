"""TensorFlow graphs that are built once per model and live as long as it does."""

import functools
import inspect
import weakref
from collections.abc import Callable

import tensorflow as tf

_PER_MODEL: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def once_per_model(build: Callable) -> Callable:
    """Make `build(model, *options)` run once per model and options.

    An active learner queries the same model object round after round, its weights
    changed in place: whatever is traced for it must be traced once. What `build`
    returns must not hold the model itself, or neither would ever be freed.
    """

    @functools.wraps(build)
    def cached(model, *options):
        # A bound method is a new object at every access: its owner is what lives on.
        is_method = inspect.ismethod(model)
        owner, method = (model.__self__, model.__func__) if is_method else (model, None)
        built = _PER_MODEL.setdefault(owner, {})
        key = (build, method, *options)
        if key not in built:
            built[key] = build(model, *options)
        return built[key]

    return cached


def graph(function: Callable, *signature: tuple) -> Callable:
    """Compile `function` of tensors into one graph, traced once.

    Args:
        function: A Python function of tensors.
        *signature: One `(shape, dtype)` per argument, shapes without the batch axis,
            which stays open, so that a batch may shrink without a new trace.

    Returns:
        A `tf.function` with one input signature.
    """
    specs = [tf.TensorSpec((None, *shape), dtype) for shape, dtype in signature]
    return tf.function(function, input_signature=specs, autograph=False)
