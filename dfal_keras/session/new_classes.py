"""Models with more classes."""

import keras
import numpy as np

from dfal_keras.backend import classifier, heads, keras_graph


def widen(model: keras.Model, num_classes: int) -> keras.Model:
    """Return a model with more classes, whose other weights are those of `model`.

    The last layer with weights, a dense layer, gets new units with zero weights. What
    follows it, such as a softmax, is called again.

    Args:
        model: A Sequential or functional classifier.
        num_classes: The new number of classes.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: If the model does not end in such a dense layer, or the scores of
            its classes would change.
    """
    if not keras_graph.is_functional(model):
        raise _refused(model, "whose layers are not accessible")
    if classifier.head(model).kind not in ("softmax", "logits"):
        raise _refused(model, "whose outputs are neither logits nor a softmax of them")
    try:
        last = heads.last_layer(model)
    except ValueError as error:
        raise _refused(model, "without a last layer") from error
    dense = last.call.operation
    is_dense = isinstance(dense, keras.layers.Dense)
    if not is_dense or dense.units < 2 or getattr(dense, "quantization_mode", None):
        raise _refused(model, f"that ends in {dense.name!r}, a {type(dense).__name__}")

    (_, values), *others = last.graphs
    for inputs, outputs in others:  # of nested models
        values = keras.tree.flatten(keras.Model(inputs, outputs)(values))
    # A function as activation can't always be made again from the configuration.
    changed = {"units": num_classes, "name": f"{dense.name}_wider"}
    changed |= {"lora_rank": None, "activation": None}
    wider = keras.layers.Dense.from_config({**dense.get_config(), **changed})
    wider.activation = dense.activation
    outputs = _tail(wider, last, model)(wider(*values))
    num_new = num_classes - dense.units
    weights = [dense.kernel, *([dense.bias] if dense.use_bias else [])]
    arrays = [keras.ops.convert_to_numpy(weight) for weight in weights]
    wider.set_weights(
        [np.pad(w, [(0, 0)] * (w.ndim - 1) + [(0, num_new)]) for w in arrays]
    )
    return keras.Model(model.inputs[0], outputs, name=model.name)


def _tail(wider, last, model):
    """Return a function of the wider layer's outputs, after a test on numbers."""

    def tail(value):
        for call in last.after:
            is_layer = isinstance(call.operation, keras.Layer)
            value = call.repeat([value], **({"training": False} if is_layer else {}))
        return value

    def compute(logits):
        outputs = tail(wider.activation(keras.ops.convert_to_tensor(logits)))
        return keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))

    num_old = last.call.operation.units
    logits = np.random.default_rng(0).normal(size=(5, wider.units)).astype("float32")
    try:
        old, new = compute(logits[:, :num_old]), compute(logits)
    except Exception as error:  # any, from an operation for the old number of classes
        raise _refused(model, "whose last layers take its number of classes") from error
    if classifier.head(model).kind == "softmax" and new.shape == logits.shape:
        new = new / new[:, :num_old].sum(axis=1, keepdims=True)
    if new.shape != logits.shape or not np.allclose(new[:, :num_old], old, atol=1e-2):
        raise _refused(model, "whose last layers change the order of the classes")
    return tail


def _refused(model, reason):
    return ValueError(
        "Argument `model` must end in a dense layer with a unit for each class, to add "
        "a class. Start a new session with a model for all classes, and import "
        f"labels.csv. Received: the model {model.name!r}, {reason}"
    )
