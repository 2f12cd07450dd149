"""Logits and features of a Keras classifier, computed with its own weights."""

import inspect
import weakref
from collections.abc import Callable

import keras
from keras import ops

from dfal_keras import _validation
from dfal_keras.backend import blocked_convolution, keras_layers, tracing


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


def sample_shape(model) -> tuple | None:
    """Return the shape of a sample that `model` takes; `None` if it is unknown."""
    inputs = getattr(model, "inputs", None) if isinstance(model, keras.Model) else None
    return inputs[0].shape[1:] if inputs else None


@tracing.cached_per_model
def logits(model, training: bool = False) -> Callable:
    """Return a function from images to the logits of a classifier.

    Where the last layer is a softmax, or a dense layer with a softmax activation, the
    logits are its input, or the dense layer's output without the activation. A single
    sigmoid unit, or a single logit z, counts as two classes with logits (0, z). Any
    other output, and that of a function, is taken to be logits. A subclassed model,
    whose layers are not accessible, may have a method `logits(inputs)`.

    Args:
        model: A classifier that passes `check_model`.
        training: Whether layers such as dropout run in training mode. Ignored for
            functions and subclassed models. Defaults to `False`.

    Returns:
        A function from a float tensor of shape `(batch_size, ...)` to logits of shape
        `(batch_size, num_classes)`. It does not keep the model alive.

    Raises:
        ValueError: If the model ends in several sigmoid units.
    """
    if hasattr(model, "logits"):
        return _two_classes(_weakly(model.logits))
    if getattr(model, "outputs", None):
        body, head = _before_activation(model)
        return _two_classes(_composed(_call(body, training), head))
    return _two_classes(_weakly(model))


@tracing.cached_per_model
def logits_for_gradients(model) -> Callable:
    """Return `logits(model)` with a faster gradient with respect to the images.

    See `blocked_convolution`. Functions and subclassed models are left as they are.
    """
    if hasattr(model, "logits") or not getattr(model, "outputs", None):
        return logits(model)
    body, head = _before_activation(model)
    body = blocked_convolution.with_blocked_gradients(body)
    return _two_classes(_composed(_call(body), head))


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
        ValueError: If the layers of the model are not accessible.
    """
    if hasattr(model, "features"):
        return _flat(_weakly(model.features))
    if getattr(model, "outputs", None):
        weighted = [layer for layer in model.layers if layer.weights]
        if weighted:
            return _flat(_call(keras.Model(model.inputs[0], weighted[-1].input)))
    raise _validation.ArgumentError(
        "model",
        "must be a Sequential or functional model with weights, or "
        f"have a method `features(inputs)`. Received: {model!r}",
    )


def _flat(function):
    """Flatten the features of each sample."""
    return lambda images: ops.reshape(
        ops.cast(function(images), "float32"), (ops.shape(images)[0], -1)
    )


def _before_activation(model):
    """Split a model before its final activation.

    Returns:
        A functional model, and a function from its outputs to the logits, or `None`.
    """
    head = model.layers[-1]
    activation = getattr(head, "activation", None)
    is_softmax = isinstance(head, keras.layers.Softmax)
    if not is_softmax and activation not in _ACTIVATIONS:
        return keras.Model(model.inputs[0], model.outputs[0]), None
    if activation is keras.activations.sigmoid and model.outputs[0].shape[-1] != 1:
        raise _validation.ArgumentError(
            "model",
            "must choose one class for each sample: a softmax, "
            "logits, or a single sigmoid unit. Received: a model that ends in "
            f"{model.outputs[0].shape[-1]} sigmoid units",
        )
    body = keras.Model(model.inputs[0], head.input)
    if is_softmax or isinstance(head, keras.layers.Activation):
        return body, None

    # The last layer includes the activation: run a clone of it that has none, with
    # the original's variables.
    linear = type(head).from_config({**head.get_config(), "activation": None})
    linear.build(head.input.shape)

    def call(inputs):
        outputs, _ = linear.stateless_call(
            head.trainable_variables, head.non_trainable_variables, inputs
        )
        return outputs

    return body, call


_ACTIVATIONS = (keras.activations.softmax, keras.activations.sigmoid)


def _two_classes(function):
    """Extend a single logit z to the logits (0, z) of two classes."""

    def call(images):
        outputs = ops.cast(function(images), "float32")
        if outputs.shape[-1] == 1:
            outputs = ops.concatenate([ops.zeros_like(outputs), outputs], axis=-1)
        return outputs

    return call


def _composed(body, head):
    """Return a function that applies `head`, if any, to the outputs of `body`."""
    return body if head is None else lambda images: head(body(images))


def _call(model, training=False):
    """Return a function that calls a model and keeps it alive."""
    return lambda images: model(images, training=training)


def _weakly(function):
    """Return a function that calls a model, method or function without a reference."""
    reference = (
        weakref.WeakMethod(function)
        if inspect.ismethod(function)
        else weakref.ref(function)
    )
    inference = {"training": False} if isinstance(function, keras.Model) else {}
    return lambda images: reference()(images, **inference)
