"""Gradients of a classifier with respect to its images and its weights.

The only module that differentiates: another Keras backend would be one more file.
"""

import math
from collections.abc import Callable

import tensorflow as tf

from dfal_keras.backend import blocked_convolution


def margins(
    logits: Callable, images: tf.Tensor, classes: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Differences of logits, and their gradients with respect to the images.

    For a sample x with classes (c, k_1, k_2, ...) these are
    `g_j = f_{k_j}(x) - f_c(x)` and `w_j = grad g_j`. To be called inside a graph: the
    loop over the classes is unrolled there, which runs faster than
    `GradientTape.batch_jacobian`.

    Args:
        logits: Function from images to logits of shape `(batch_size, num_classes)`.
        images: Float tensor of shape `(batch_size, ...)`.
        classes: Int tensor of shape `(batch_size, num_compared)`: c, then its rivals.

    Returns:
        The differences, of shape `(batch_size, num_compared - 1)`, and their
        gradients, of shape `(batch_size, num_compared - 1, num_pixels)`.
    """
    with blocked_convolution.gradients_by_blocks():
        compared = tf.gather(logits(images), classes, batch_dims=1)
    differences = [
        compared[:, rival] - compared[:, 0] for rival in range(1, classes.shape[1])
    ]
    # Samples do not mix, so the gradient of a sum over the batch, which is what is
    # taken, holds each sample's own. Not by a tape: that has no gradients by blocks.
    gradients = [tf.gradients(value, images, **_ZERO)[0] for value in differences]
    num_pixels = math.prod(images.shape[1:])
    gradients = [tf.reshape(gradient, (-1, num_pixels)) for gradient in gradients]
    return tf.stack(differences, 1), tf.stack(gradients, 1)


def loss_gradient_norms(
    logits: Callable, weights: list, images: tf.Tensor, targets: Callable
) -> tf.Tensor:
    """Norms of the gradients of single samples' losses with respect to the weights.

    For a sample x and a target t, a weight for each class, that is
    `|| grad_theta ( - sum_k t_k log p_k(x) ) ||_2`, with t a constant. One sample at
    a time, so memory holds a single gradient however large the network is, and samples
    can't mix; on a CPU this runs four times as fast as `tf.vectorized_map`. To be
    called inside a graph.

    Args:
        logits: Function from images to logits of shape `(batch_size, num_classes)`.
        weights: List of the variables to differentiate by.
        images: Float tensor of shape `(batch_size, ...)`.
        targets: Function from the probabilities of a sample, a float tensor of shape
            `(num_classes,)`, to a list of targets of that shape.

    Returns:
        The norms, float tensor of shape `(batch_size, num_targets)`.
    """

    def norms_of_one(image):
        with tf.GradientTape(persistent=True) as tape:
            outputs = logits(image[None])[0]
            log_probabilities = tf.nn.log_softmax(outputs)
            constants = map(tf.stop_gradient, targets(tf.nn.softmax(outputs)))
            losses = [-tf.reduce_sum(t * log_probabilities) for t in constants]
        norms = [
            tf.linalg.global_norm(tape.gradient(loss, weights, **_ZERO))
            for loss in losses
        ]
        return tf.cast(tf.stack(norms), tf.float32)

    signature = tf.TensorSpec((None,), tf.float32)
    return tf.map_fn(norms_of_one, images, fn_output_signature=signature)


_ZERO = {"unconnected_gradients": tf.UnconnectedGradients.ZERO}
