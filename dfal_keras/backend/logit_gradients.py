"""Gradients of a classifier's logits with respect to its images."""

import math
from collections.abc import Callable

import tensorflow as tf

from dfal_keras.backend import blocked_convolution


def margins(
    logits: Callable, images: tf.Tensor, classes: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Compute differences of logits, and their gradients by the images.

    For a sample x with classes (c, k_1, k_2, ...) these are
    `g_j = f_{k_j}(x) - f_c(x)` and `w_j = grad g_j`. Call it inside a `tf.function`:
    the loop over classes is unrolled there, which is faster than
    `GradientTape.batch_jacobian`.

    Args:
        logits: Function from images to logits of shape `(batch_size, num_classes)`.
        images: Float tensor of shape `(batch_size, ...)`.
        classes: Int tensor of shape `(batch_size, num_compared)`. First c, then the
            other classes.

    Returns:
        The differences, of shape `(batch_size, num_compared - 1)`, and their
        gradients, of shape `(batch_size, num_compared - 1, num_pixels)`.
    """
    with blocked_convolution.gradients_by_blocks():
        compared = tf.gather(logits(images), classes, batch_dims=1)
    differences = [
        compared[:, other] - compared[:, 0] for other in range(1, classes.shape[1])
    ]
    # Samples do not interact, so the gradient of the sum over the batch holds each
    # sample's gradient. A `GradientTape` would ignore the gradients by blocks.
    gradients = [
        tf.gradients(
            difference,
            images,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )[0]
        for difference in differences
    ]
    num_pixels = math.prod(images.shape[1:])
    gradients = [tf.reshape(gradient, (-1, num_pixels)) for gradient in gradients]
    return tf.stack(differences, 1), tf.stack(gradients, 1)
