"""Models with more classes."""

import keras
import numpy as np


def widen(model: keras.Model, num_classes: int) -> keras.Model:
    """Return a model with more classes, whose other weights are those of `model`.

    The last dense layer gets new units with zero weights. What follows it must have no
    weights, such as a softmax.

    Args:
        model: A Sequential or functional classifier.
        num_classes: The new number of classes.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: If the model does not end in such a dense layer.
    """
    layers = list(model.layers) if getattr(model, "outputs", None) else []
    tail: list[keras.Layer] = []
    while layers and not layers[-1].weights:
        tail.insert(0, layers.pop())
    dense = layers[-1] if layers else None
    if not isinstance(dense, keras.layers.Dense) or dense.units < 2:
        raise ValueError(
            "Argument `model` must end in a dense layer with a unit for each class, to "
            "add a class. Start a new session with a model for all classes, and import "
            f"labels.csv. Received: the model {model.name!r}"
        )
    wider = keras.layers.Dense.from_config(
        {**dense.get_config(), "units": num_classes, "name": f"{dense.name}_wider"}
    )
    outputs = wider(dense.input)
    for layer in tail:
        outputs = layer(outputs)
    widened = keras.Model(model.inputs[0], outputs, name=model.name)
    num_new = num_classes - dense.units
    wider.set_weights(
        [
            np.pad(w, [(0, 0)] * (w.ndim - 1) + [(0, num_new)])
            for w in dense.get_weights()
        ]
    )
    return widened
