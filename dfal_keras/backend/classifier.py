"""What a Keras classifier computes on the way to its output, by the same weights."""

import inspect
import weakref
from collections.abc import Callable

import keras
from keras import ops

from dfal_keras.backend.tracing import once_per_model


def sample_shape(model) -> tuple | None:
    """Shape of one sample that `model` takes, None where it can't be known."""
    if not isinstance(model, keras.Model):
        return None
    if len(getattr(model, "inputs", None) or [None]) != 1:
        raise ValueError(
            "Argument `model` must have a single input. "
            f"Received: a model with {len(model.inputs)} inputs"
        )
    if len(getattr(model, "outputs", None) or [None]) != 1:
        raise ValueError(
            "Argument `model` must have a single output. "
            f"Received: a model with {len(model.outputs)} outputs"
        )
    return model.inputs[0].shape[1:] if getattr(model, "inputs", None) else None


def check_model(model) -> None:
    """Say so if `model` is nothing that maps images to class scores."""
    if not callable(model):
        raise ValueError(
            "Argument `model` must be a Keras model, or a function from a batch of "
            f"images to logits. Received: {model!r} (of type {type(model).__name__})"
        )
    if isinstance(model, keras.Model) and not model.built:
        raise ValueError(
            "Argument `model` must be built: give it an input shape, or call it once "
            f"on a batch. Received: the unbuilt model {model.name!r}"
        )
    sample_shape(model)


@once_per_model
def logits(model, training: bool = False) -> Callable:
    """Return a function from images to the logits behind the model's output.

    Where the last layer is a softmax, or a dense layer with a softmax activation, the
    logits are what goes into it. A single sigmoid unit, or a single logit z, counts as
    two classes with logits (0, z). Any other output is taken as logits as it is, and
    so is what a plain function returns. A subclassed model, which cannot be looked
    into, may offer a method `logits(inputs)`.

    Args:
        model: A built Keras classifier with one input and one output, or a function.
        training: Whether layers such as dropout run as in training, where the model
            can be looked into.

    Returns:
        A function from a float tensor of shape `(batch_size, ...)` to logits of shape
        `(batch_size, num_classes)`.

    Raises:
        ValueError: If the model has several inputs or outputs, or is not built.
    """
    check_model(model)
    if hasattr(model, "logits"):
        return _two_classes(_weakly(model.logits))
    if getattr(model, "outputs", None):
        return _two_classes(_behind_activation(model, training))
    return _two_classes(_weakly(model))


@once_per_model
def features(model) -> Callable:
    """Return a function from images to the activations before the last layer.

    The penultimate layer: whatever goes into the last layer that has weights. A
    subclassed model may offer a method `features(inputs)`.

    Args:
        model: A built Keras classifier with one input and one output.

    Returns:
        A function from a float tensor of shape `(batch_size, ...)` to features of
        shape `(batch_size, num_features)`, with the model in inference mode.

    Raises:
        ValueError: If the model can't be looked into.
    """
    check_model(model)
    if hasattr(model, "features"):
        return _flat(_weakly(model.features))
    if getattr(model, "outputs", None):
        weighted = [layer for layer in model.layers if layer.weights]
        if weighted:
            inner = keras.Model(model.inputs[0], weighted[-1].input)
            return _flat(_call(inner))
    raise ValueError(
        "Argument `model` must be a Sequential or functional model with weights, or "
        "offer a method `features(inputs)`, for its features to be found. "
        f"Received: {model!r}"
    )


def _flat(function):
    """Flatten each sample's features."""
    return lambda images: ops.reshape(
        ops.cast(function(images), "float32"), (ops.shape(images)[0], -1)
    )


def _behind_activation(model, training):
    """Function from images to what the model's final activation is applied to."""
    head = model.layers[-1]
    activation = getattr(head, "activation", None)
    is_softmax = isinstance(head, keras.layers.Softmax)
    if not is_softmax and activation not in _SQUASHING:
        return _call(keras.Model(model.inputs[0], model.outputs[0]), training)
    if activation is keras.activations.sigmoid and model.outputs[0].shape[-1] != 1:
        raise ValueError(
            "Argument `model` must choose one class for each sample: a softmax, "
            "logits, or a single sigmoid unit. Received: a model that ends in "
            f"{model.outputs[0].shape[-1]} sigmoid units"
        )
    body = _call(keras.Model(model.inputs[0], head.input), training)
    if is_softmax or isinstance(head, keras.layers.Activation):
        return body

    # A layer that is dense and softmax in one: run a twin of it without the
    # activation, on the original's variables. The layer itself is left as it is.
    config = {**head.get_config(), "activation": None}
    linear = type(head).from_config(config)
    linear.build(head.input.shape)

    def call(images):
        outputs, _ = linear.stateless_call(
            head.trainable_variables, head.non_trainable_variables, body(images)
        )
        return outputs

    return call


_SQUASHING = (keras.activations.softmax, keras.activations.sigmoid)


def _two_classes(function):
    """Complete a single logit z to the logits (0, z) of two classes."""

    def call(images):
        outputs = ops.cast(function(images), "float32")
        if outputs.shape[-1] == 1:
            outputs = ops.concatenate([ops.zeros_like(outputs), outputs], axis=-1)
        return outputs

    return call


def _call(model, training=False):
    """Call a model that was built here from another's layers."""
    return lambda images: model(images, training=training)


def _weakly(function):
    """Call `function`, a model, method or function, without keeping it alive."""
    reference = (
        weakref.WeakMethod(function)
        if inspect.ismethod(function)
        else weakref.ref(function)
    )
    inference = {"training": False} if isinstance(function, keras.Model) else {}
    return lambda images: reference()(images, **inference)
