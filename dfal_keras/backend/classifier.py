"""Logits and features of a Keras classifier, computed with its own weights."""

import inspect
import weakref
from collections.abc import Callable

import keras
from keras import ops

from dfal_keras import _validation
from dfal_keras.backend import (
    blocked_convolution,
    compiled_loss,
    heads,
    keras_graph,
    keras_layers,
    tracing,
)


def check_model(model) -> None:
    """Raise ValueError if `model` is not a usable classifier.

    Args:
        model: A built Keras model with one input and one output, or a function from
            images to logits.
    """
    if not callable(model):
        raise _validation.ArgumentError(
            "model",
            "must be a Keras model, or a function from a batch of "
            f"images to logits. Received: {model!r} (of type {type(model).__name__})",
        )
    if not isinstance(model, keras.Model):
        return
    if not model.built:
        raise _validation.ArgumentError(
            "model",
            "must be built: give it an input shape, or call it once "
            f"on a batch. Received: the unbuilt model {model.name!r}",
        )
    stateful = [
        layer.name
        for layer in keras_layers.flatten(model)
        if getattr(layer, "stateful", False)
    ]
    if stateful:
        raise _validation.ArgumentError(
            "model",
            "must predict each sample by itself, without layers that "
            f"are stateful. Received: the model {model.name!r} with {stateful[0]!r}",
        )
    for kind in ("input", "output"):
        tensors = getattr(model, f"{kind}s", None)  # `None` in a subclassed model
        if tensors and len(tensors) != 1:
            raise _validation.ArgumentError(
                "model",
                f"must have a single {kind}. "
                f"Received: a model with {len(tensors)} {kind}s",
            )
    if keras_graph.has_named_outputs(model):
        raise _validation.ArgumentError(
            "model",
            "must return a tensor. "
            f"Received: the model {model.name!r}, which returns a dict of tensors",
        )
    num_outputs = model.output_shape[-1] if keras_graph.is_functional(model) else None
    kind = head(model).kind
    if kind == "sigmoids" or (kind == "softmax" and num_outputs == 1):
        raise _validation.ArgumentError(
            "model",
            "must choose one class for each sample: a softmax of all "
            "classes, logits, or a single sigmoid unit. Received: a model that ends in "
            f"{num_outputs} {'sigmoid' if kind == 'sigmoids' else 'softmax'} units",
        )
    if kind == "logits" and num_outputs == 1 and not method(model, "logits"):
        check_loss(model)


def check_loss(model) -> None:
    """Raise ValueError if a single logit is compiled with a loss of probabilities.

    Args:
        model: A classifier whose single output is no probability.
    """
    if compiled_loss.takes_probabilities(model):
        raise _validation.ArgumentError(
            "model",
            "must end in a sigmoid, or be compiled with `from_logits=True`, if it has "
            "a single output and a loss of probabilities. "
            f"Received: the model {model.name!r} with outputs that are not in [0, 1] "
            f"and loss={model.loss!r}",
        )


def check_real_inputs(model) -> None:
    """Raise ValueError if a model takes integers, such as tokens, not real numbers."""
    inputs = getattr(model, "inputs", None) if isinstance(model, keras.Model) else None
    if not inputs:
        return
    embeddings = [
        layer.name
        for layer in model.layers
        if isinstance(layer, keras.layers.Embedding) and layer.input is inputs[0]
    ]
    if embeddings or keras.backend.is_int_dtype(inputs[0].dtype):
        raise _validation.ArgumentError(
            "model",
            "must take real numbers, which DeepFool can change a "
            "little: use another strategy, such as 'uncertainty', 'bald', 'core_set' "
            f"or 'egl', for integers. Received: the model {model.name!r} for integers"
            f"{f', with the layer {embeddings[0]!r}' if embeddings else ''}",
        )


def method(model, name: str) -> Callable | None:
    """Return a method of a model, `None` if it has none of this name.

    A layer that a subclassed model keeps under the name, such as `self.logits`, is
    none.
    """
    found = getattr(model, name, None)
    return found if inspect.isroutine(found) else None


def sample_shape(model) -> tuple | None:
    """Return the shape of a sample that `model` takes; `None` if it is unknown."""
    inputs = getattr(model, "inputs", None) if isinstance(model, keras.Model) else None
    return inputs[0].shape[1:] if inputs else None


@tracing.cached_per_model
def head(model) -> heads.Head:
    """Return what the outputs of a classifier are.

    A function and a model's method `logits(inputs)` return logits. The outputs of other
    subclassed models are of unknown kind.

    Args:
        model: A Keras model, or a function from images to logits.
    """
    if method(model, "logits") or not isinstance(model, keras.Model):
        return heads.Head("logits", ())
    if keras_graph.is_functional(model):
        return heads.analyze(model)
    return heads.Head("unknown", ())


@tracing.cached_per_model
def scores(model) -> Callable:
    """Return a function from images to the logits, or the outputs, of a classifier.

    The logits are the input of the model's softmax or sigmoid, if any. If the kind of
    `head` is "unknown", they are its outputs.

    Args:
        model: A classifier that passes `check_model`.

    Returns:
        A function from a float tensor of shape `(batch_size, ...)` to float32 scores of
        shape `(batch_size, num_outputs)`. It does not keep the model alive.
    """
    return _scores(model, keras_graph.call_in_inference)


@tracing.cached_per_model
def logits(model) -> Callable:
    """Return a function from images to the logits of a classifier.

    As `scores`, but a single logit z counts as two classes with logits (0, z). Outputs
    of an unknown kind are taken for logits: check them first, by
    `inference.predict_logits`.
    """
    return _two_classes(scores(model))


@tracing.cached_per_model
def logits_for_gradients(model) -> Callable:
    """Return `logits(model)` with a faster gradient with respect to the images.

    See `blocked_convolution`. Functions and subclassed models are left as they are.
    """
    return _two_classes(_scores(model, blocked_convolution.call))


def _scores(model, call):
    found = head(model)
    if found.graphs:
        return lambda images: ops.cast(found.compute(images, call), "float32")
    function = _weakly(method(model, "logits") or model)

    def call_function(images):
        outputs = function(images)
        if isinstance(outputs, dict | list | tuple):
            raise _validation.ArgumentError(
                "model",
                "must return a tensor. "
                f"Received: a model that returns a {type(outputs).__name__}",
            )
        return ops.cast(outputs, "float32")

    return call_function


def _two_classes(function):
    """Extend a single logit z to the logits (0, z) of two classes."""

    def extended(images):
        outputs = function(images)
        if outputs.shape[-1] == 1:
            outputs = ops.concatenate([ops.zeros_like(outputs), outputs], axis=-1)
        return outputs

    return extended


@tracing.cached_per_model
def features(model) -> Callable:
    """Return a function from images to the penultimate activations.

    These are the input of the last layer that has weights. A subclassed model may have
    a method `features(inputs)`.

    Args:
        model: A classifier that passes `check_model`.

    Returns:
        A function from a float tensor of shape `(batch_size, ...)` to features of
        shape `(batch_size, num_features)`, with the model in inference mode. It does
        not keep the model alive.

    Raises:
        ValueError: If the model has no accessible last layer with weights.
    """
    own = method(model, "features")
    if own is not None:
        return _flat(_weakly(own))
    if keras_graph.is_functional(model):
        graphs = heads.last_layer(model).graphs
        return _flat(lambda images: keras_graph.compute_chain(graphs, [images])[0])
    raise _validation.ArgumentError(
        "model",
        "must be a Sequential or functional model with weights, or "
        f"have a method `features(inputs)`. Received: {model!r}",
    )


@tracing.cached_per_model
def scores_of_features(model) -> Callable:
    """Return a function from the penultimate activations to `scores(model)`.

    It applies the last layer that has weights, and what follows it.

    Args:
        model: A classifier that passes `check_model`.

    Returns:
        A function from a float tensor of shape `(batch_size, num_features)`, as
        `features` returns it, to float32 scores of shape `(batch_size, num_outputs)`.

    Raises:
        ValueError: If the model has no accessible last layer with weights.
    """
    has_methods = method(model, "logits") or method(model, "features")
    if not keras_graph.is_functional(model) or has_methods:
        raise _validation.ArgumentError(
            "model",
            "must be a Sequential or functional model, whose last layer with weights "
            "leads from features to class scores, without methods `logits` and "
            f"`features`. Received: {model!r}",
        )
    last = heads.last_layer(model)
    shape = last.call.inputs[0].shape[1:]
    if None in shape:
        raise _validation.ArgumentError(
            "model",
            "must have a last layer whose inputs have a fixed shape. "
            f"Received: the model {model.name!r} with inputs of shape {shape}",
        )
    found = head(model)
    calls = last.calls_to(found.graphs[-1][1][0])

    def compute(features):
        value = ops.reshape(features, (-1, *shape))
        for call in calls:
            value = keras_graph.call_in_inference(call, [value])
        for function in found.functions:
            value = function(value)
        return ops.cast(value, "float32")

    return compute


def _flat(function):
    """Flatten the features of each sample."""
    return lambda images: ops.reshape(
        ops.cast(function(images), "float32"), (ops.shape(images)[0], -1)
    )


def _weakly(function):
    """Return a function that calls a model, method or function without a reference."""
    reference = (
        weakref.WeakMethod(function)
        if inspect.ismethod(function)
        else weakref.ref(function)
    )
    inference = {"training": False} if isinstance(function, keras.Model) else {}
    return lambda images: reference()(images, **inference)
