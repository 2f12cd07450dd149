"""The head of a network whose base is frozen, as a model of its own."""

import keras

from dfal_keras.backend import keras_graph, noise

HEAD_START = "head_dropout"  # the layer that takes the features


def trained_head(model: keras.Model) -> keras.Model | None:
    """Return the layers that are trained, as a model of the features before them.

    A frozen base computes the same features of an image in each epoch. They need to be
    computed once, if all that follows is a model of its own. Its layers are those of
    `model`, which is trained with it.

    Args:
        model: A compiled classifier.

    Returns:
        A compiled model, or `None` if the features change during a training: if layers
        before `HEAD_START` are trained or are noise, or there is no such layer.
    """
    if not keras_graph.is_functional(model):
        return None
    if HEAD_START not in [layer.name for layer in model.layers]:
        return None
    features = model.get_layer(HEAD_START).input
    head = keras.Model(features, model.outputs[0], name=f"{model.name}_head")
    base = [layer for layer in model.layers if layer not in head.layers]
    if any(layer.trainable_weights or noise.is_active(layer) for layer in base):
        return None
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    head.compile(optimizer, model.loss)
    return head
