"""Gradients of differences of logits with respect to the images."""

import math
from collections.abc import Callable

import tensorflow as tf

# Up to this many faces, one backward pass for each is traced: 1.4 times as fast as one
# pass over copies of the images, with a graph that grows with the number of faces.
MAX_UNROLLED = 15

_MAX_COMPARED = 10


def num_compared(num_outputs: int, num_classes: int | None = None) -> int:
    """Return how many of the most likely classes to take gradients of.

    Args:
        num_outputs: Number of the model's classes.
        num_classes: The number asked for. Defaults to `None`: all classes of a model
            with up to 10, and 10 of others, as DeepFool's authors do.
    """
    return min(num_classes or _MAX_COMPARED, num_outputs)


def margins(
    logits: Callable, images: tf.Tensor, classes: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Compute differences of logits and their gradients with respect to the images.

    For a sample x with classes (c, k_1, k_2, ...) these are
    `g_j = f_{k_j}(x) - f_c(x)` and `w_j = grad g_j`. Call it inside a `tf.function`.

    Args:
        logits: Function from images to logits of shape `(batch_size, num_classes)`.
        images: Float tensor of shape `(batch_size, ...)`.
        classes: Int tensor of shape `(batch_size, num_compared)`: c, then the others.

    Returns:
        The differences, of shape `(batch_size, num_compared - 1)`, and their
        gradients, of shape `(batch_size, num_compared - 1, num_pixels)`.
    """
    num_faces = classes.shape[1] - 1
    compute = _unrolled if num_faces <= MAX_UNROLLED else _on_copies
    differences, gradients = compute(logits, images, classes)
    num_pixels = math.prod(images.shape[1:])
    return differences, tf.reshape(gradients, (-1, num_faces, num_pixels))


def memory_per_image(num_faces: int) -> dict:
    """Return the memory of `margins` per image, as arguments of `memory.batch_size`."""
    if num_faces <= MAX_UNROLLED:
        return {"num_gradients": num_faces}
    return {"num_gradients": 1, "num_copies": num_faces}


def _unrolled(logits, images, classes):
    """One forward pass, and one backward pass for each face."""
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(images)
        compared = tf.gather(logits(images), classes, batch_dims=1)
        differences = [
            compared[:, face] - compared[:, 0] for face in range(1, classes.shape[1])
        ]
    # Samples are independent: the gradient of a sum over the batch is that of each.
    gradients = [tape.gradient(value, images, **_ZERO) for value in differences]
    return tf.stack(differences, 1), tf.stack(gradients, 1)


def _on_copies(logits, images, classes):
    """One forward and one backward pass, over a copy of each image for each face."""
    num_faces = classes.shape[1] - 1
    copies = tf.repeat(images, num_faces, axis=0)
    pairs = tf.stack(
        [tf.repeat(classes[:, 0], num_faces), tf.reshape(classes[:, 1:], (-1,))], 1
    )
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(copies)
        compared = tf.gather(logits(copies), pairs, batch_dims=1)
        differences = compared[:, 1] - compared[:, 0]
    gradients = tape.gradient(differences, copies, **_ZERO)
    return tf.reshape(differences, (-1, num_faces)), gradients


_ZERO = {"unconnected_gradients": tf.UnconnectedGradients.ZERO}
