"""Batch sizes that keep the activations of a model within a memory budget."""

import itertools
import math

import keras

_BUDGET = 2**30  # bytes
_FLOAT = 4  # bytes

# Activations of a model whose layers are unknown, in multiples of its input.
_UNKNOWN = 64


def batch_size(
    model,
    sample_shape: tuple,
    *,
    maximum: int,
    num_copies: int = 1,
    num_gradients: int = 0,
) -> int:
    """Return the largest batch size, up to `maximum`, that fits the budget of 1 GB.

    The estimate uses the shapes of the layers' outputs. A forward pass holds the
    outputs of two layers, and twice as much while it computes. A backward pass holds
    the outputs of all layers, and two images for each gradient.

    Args:
        model: A Keras classifier, or a function from images to logits.
        sample_shape: Shape of an image.
        maximum: Largest batch size to return.
        num_copies: Number of copies of each image that are in memory at once. Defaults
            to 1.
        num_gradients: Number of gradients with respect to each image. Defaults to 0,
            a forward pass.

    Returns:
        An int from 1 to `maximum`.
    """
    image = math.prod(sample_shape)
    sizes = [image, *_output_sizes(model)]
    if len(sizes) == 1:
        sizes.append(_UNKNOWN * image)
    if num_gradients:
        floats = sum(sizes) + 2 * num_gradients * image
    else:
        floats = 2 * max(a + b for a, b in itertools.pairwise(sizes))
    return max(1, min(maximum, _BUDGET // (_FLOAT * num_copies * floats)))


def _output_sizes(model):
    """Return the number of values in each layer's output, nested models included."""
    sizes = []
    if getattr(model, "outputs", None):
        for layer in model.layers:
            if isinstance(layer, keras.Model):
                sizes += _output_sizes(layer)
            else:
                outputs = keras.tree.flatten(layer.output)
                sizes += [math.prod(size or 1 for size in o.shape[1:]) for o in outputs]
    return sizes
